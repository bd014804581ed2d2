//! Changes and calls, with the answers and events that they must have. The orders
//! are those that Asterisk 22 was seen to have.

use std::time::Duration;

use super::habits::Habits;
use super::member::Member;
use super::pbx::Pbx;

const QUEUES: &str = "[general]\n[one]\nstrategy=ringall\nservicelevel=60\nringinuse=no\n\
    member => Local/1050@acme-agents,2,Sam\n\
    [two]\nstrategy=leastrecent\nmaxlen=1\nringinuse=no\n";
const DANA: &str = "Local/1001@acme-agents";
const GILA: &str = "PJSIP/1002";

fn pbx() -> Pbx {
    Pbx::new(QUEUES, Habits::sample(), 1, Duration::from_secs(1_000))
}

fn add(pbx: &mut Pbx, queue: &str, interface: &str) {
    let member = Member::new(interface, "", "", pbx.unix());
    pbx.add(queue, member, None).expect("added");
}

/// Events as `name queue who value…`, without what the test does not look at.
fn told(pbx: &mut Pbx) -> Vec<String> {
    const SHOWN: [&str; 15] = [
        "Event",
        "Queue",
        "Interface",
        "Status",
        "Penalty",
        "Paused",
        "PausedReason",
        "Position",
        "OriginalPosition",
        "Count",
        "HoldTime",
        "RingTime",
        "TalkTime",
        "Reason",
        "CallsTaken",
    ];
    let events = pbx.take_events();
    let brief = |text: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        let shown = lines.filter(|(name, value)| SHOWN.contains(name) && !value.is_empty());
        shown.map(|(_, value)| value).collect::<Vec<_>>().join(" ")
    };
    events.iter().map(|event| brief(&event.text)).collect()
}

fn at(pbx: &mut Pbx, seconds: u64) -> Vec<String> {
    pbx.advance(Duration::from_secs(seconds));
    told(pbx)
}

#[test]
fn changes_are_answered_as_by_asterisk() {
    let mut pbx = pbx();
    let member = |interface: &str| Member::new(interface, "", "", 1_000);
    for (answer, text) in [
        (
            pbx.add("ONE", member(DANA), None),
            "Added interface to queue",
        ),
        (
            pbx.add("two", member(DANA), None),
            "Added interface to queue",
        ),
        (
            pbx.pause(Some("two"), DANA, true, "x"),
            "Interface paused successfully",
        ),
        (
            pbx.pause(None, "local/1001@ACME-agents", false, ""),
            "Interface unpaused successfully",
        ),
        (
            pbx.set_penalty(Some("one"), DANA, Some(3)),
            "Interface penalty set successfully",
        ),
        (
            pbx.set_ring_in_use(None, DANA, true),
            "Interface ringinuse set successfully",
        ),
        (
            pbx.remove("One", "LOCAL/1001@acme-agents"),
            "Removed interface from queue",
        ),
    ] {
        assert_eq!(answer, Ok(text));
    }
    for (answer, text) in [
        (
            pbx.add("two", member(DANA), None),
            "Unable to add interface: Already there",
        ),
        (
            pbx.add("six", member(DANA), None),
            "Unable to add interface to queue: No such queue",
        ),
        (
            pbx.remove("one", DANA),
            "Unable to remove interface: Not there",
        ),
        (
            pbx.remove("six", DANA),
            "Unable to remove interface from queue: No such queue",
        ),
        (
            pbx.remove("one", "Local/1050@acme-agents"),
            "Member not dynamic",
        ),
        (
            pbx.pause(Some("six"), DANA, true, ""),
            "Interface not found",
        ),
        (
            pbx.pause(Some("one"), DANA, true, ""),
            "Interface not found",
        ),
        (pbx.pause(None, "nobody", true, ""), "Interface not found"),
        (
            pbx.set_penalty(None, DANA, None),
            "Invalid interface, queuename or penalty",
        ),
        (
            pbx.set_penalty(None, "nobody", Some(1)),
            "Invalid interface, queuename or penalty",
        ),
        (
            pbx.set_ring_in_use(None, "nobody", true),
            "Invalid interface, queuename, or ringinuse value\n",
        ),
    ] {
        assert_eq!(answer, Err(text));
    }
}

#[test]
fn changes_are_told() {
    let mut pbx = pbx();
    add(&mut pbx, "one", DANA);
    add(&mut pbx, "two", DANA);
    assert_eq!(
        told(&mut pbx),
        [
            format!("QueueMemberAdded one {DANA} 0 0 1 0"),
            format!("QueueMemberAdded two {DANA} 0 0 1 0"),
        ]
    );
    pbx.pause(None, DANA, true, "Lunch").expect("paused");
    pbx.pause(Some("two"), DANA, false, "Back")
        .expect("unpaused");
    pbx.set_penalty(Some("two"), DANA, Some(7)).expect("set");
    assert_eq!(
        told(&mut pbx),
        [
            format!("QueueMemberPause one {DANA} 0 0 1 1 Lunch"),
            format!("QueueMemberPause two {DANA} 0 0 1 1 Lunch"),
            format!("QueueMemberPause two {DANA} 0 0 1 0 Back"),
            format!("QueueMemberPenalty two {DANA} 7 0 1 0"),
        ]
    );
    let log = pbx.queue_log();
    assert_eq!(
        log.lines().map(|line| &line[4..]).collect::<Vec<_>>(),
        [
            "|NONE|NONE|NONE|QUEUESTART|".to_owned(),
            format!("|MANAGER|one|{DANA}|ADDMEMBER|"),
            format!("|MANAGER|two|{DANA}|ADDMEMBER|"),
            format!("|NONE|NONE|{DANA}|PAUSEALL|"),
            format!("|NONE|one|{DANA}|PAUSE|Lunch"),
            format!("|NONE|two|{DANA}|PAUSE|Lunch"),
            format!("|NONE|two|{DANA}|UNPAUSE|Back"),
            format!("|NONE|two|{DANA}|PENALTY|7"),
        ]
    );
}

#[test]
fn an_answered_call_is_told_step_by_step() {
    let mut pbx = pbx();
    // The static member would ring too.
    pbx.pause(Some("one"), "Local/1050@acme-agents", true, "")
        .expect("paused");
    for (queue, interface) in [("one", DANA), ("one", GILA), ("two", DANA)] {
        add(&mut pbx, queue, interface);
    }
    told(&mut pbx);
    pbx.call("one");
    assert_eq!(
        told(&mut pbx),
        [
            "QueueCallerJoin one 1 1".to_owned(),
            format!("AgentCalled one {GILA}"),
            format!("AgentCalled one {DANA}"),
            // A telephone rings first; a Local channel is in use at once.
            format!("QueueMemberStatus one {GILA} 0 0 6 0"),
            format!("QueueMemberStatus one {DANA} 0 0 2 0"),
            format!("QueueMemberStatus two {DANA} 0 0 2 0"),
        ]
    );
    assert_eq!(
        at(&mut pbx, 2),
        [
            format!("QueueMemberStatus one {GILA} 0 0 2 0"),
            "QueueCallerLeave one 1 0".to_owned(),
            format!("AgentConnect one {GILA} 1 1"),
            format!("QueueMemberStatus one {DANA} 0 0 1 0"),
            format!("QueueMemberStatus two {DANA} 0 0 1 0"),
        ]
    );
    let gila = |pbx: &mut Pbx| {
        let member = pbx.queue("one").and_then(|queue| queue.member(GILA));
        let member = member.expect("Gila");
        (member.in_call, member.calls_taken, member.last_call)
    };
    // Nothing tells that.
    assert_eq!(gila(&mut pbx), (true, 0, 0));
    pbx.advance(Duration::from_secs(5));
    pbx.hang_up_all();
    assert_eq!(
        told(&mut pbx),
        [
            format!("AgentComplete one {GILA} 1 4 caller"),
            format!("QueueMemberStatus one {GILA} 0 1 1 0"),
        ]
    );
    assert_eq!(gila(&mut pbx), (false, 1, 1_005));
    let figures = pbx.queue("one").map(|q| q.figures.clone()).expect("one");
    assert_eq!((figures.completed, figures.hold, figures.talk), (1, 1, 4));
}

#[test]
fn callers_wait_and_give_up() {
    let mut pbx = pbx();
    pbx.call("two");
    // One is enough there.
    pbx.call("two");
    assert_eq!(told(&mut pbx), ["QueueCallerJoin two 1 1"]);
    assert_eq!(
        at(&mut pbx, 61),
        ["QueueCallerAbandon two 1 1 60", "QueueCallerLeave two 1 0"]
    );
    // Free agents are seen within a second, the one who has talked least lately.
    pbx.call("two");
    add(&mut pbx, "two", GILA);
    told(&mut pbx);
    assert_eq!(
        at(&mut pbx, 62),
        [
            format!("AgentCalled two {GILA}"),
            format!("QueueMemberStatus two {GILA} 0 0 6 0"),
        ]
    );
    pbx.hang_up_all();
    assert_eq!(
        told(&mut pbx),
        [
            "QueueCallerAbandon two 1 1 1".to_owned(),
            "QueueCallerLeave two 1 0".to_owned(),
            format!("QueueMemberStatus two {GILA} 0 0 1 0"),
        ]
    );
}

#[test]
fn a_telephone_that_nobody_picks_up_is_told() {
    let mut habits = Habits::sample();
    habits.picked_up = 0;
    let mut pbx = Pbx::new(QUEUES, habits, 1, Duration::from_secs(1_000));
    add(&mut pbx, "two", GILA);
    pbx.call("two");
    told(&mut pbx);
    assert_eq!(
        at(&mut pbx, 16),
        [
            format!("AgentRingNoAnswer two {GILA} 15000"),
            format!("QueueMemberStatus two {GILA} 0 0 1 0"),
            // And again.
            format!("AgentCalled two {GILA}"),
            format!("QueueMemberStatus two {GILA} 0 0 6 0"),
        ]
    );
}
