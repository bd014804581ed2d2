//! The results, events and `queue_log` lines of changes and calls. The expected orders
//! were observed on Asterisk 22.

use std::time::Duration;

use super::member::Member;
use super::membership::ChangeResult;
use super::state::SimulatedPbx;
use crate::simulator::behavior::Behavior;

const QUEUES_CONF: &str = "[general]\n[one]\nstrategy=ringall\nservicelevel=60\nringinuse=no\n\
    member => Local/1050@acme-agents,2,Sam\n\
    [two]\nstrategy=leastrecent\nmaxlen=1\nringinuse=no\n";
const DANA: &str = "Local/1001@acme-agents";
const GILA: &str = "PJSIP/1002";
const SAM: &str = "Local/1050@acme-agents";

fn new_pbx() -> SimulatedPbx {
    new_pbx_with(Behavior::sample_dialplan())
}

fn new_pbx_with(behavior: Behavior) -> SimulatedPbx {
    SimulatedPbx::new(QUEUES_CONF, behavior, 1, Duration::from_secs(1_000))
}

fn add(pbx: &mut SimulatedPbx, queue: &str, interface: &str) -> ChangeResult {
    let member = Member::new(interface, "", "", pbx.unix_seconds());
    pbx.add_member(queue, member, None)
}

/// The new events: for each one its name and the values that tests look at.
fn take_events(pbx: &mut SimulatedPbx) -> Vec<String> {
    const HEADERS: [&str; 15] = [
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
    let summary = |text: &str| {
        let headers = text.lines().filter_map(|line| line.split_once(": "));
        let shown = headers.filter(|(name, value)| HEADERS.contains(name) && !value.is_empty());
        shown.map(|(_, value)| value).collect::<Vec<_>>().join(" ")
    };
    let events = pbx.take_events();
    events.iter().map(|event| summary(&event.text)).collect()
}

/// Advances the clock, and returns the events since the last ones that were taken.
fn events_until(pbx: &mut SimulatedPbx, seconds: u64) -> Vec<String> {
    pbx.advance(Duration::from_secs(seconds));
    take_events(pbx)
}

#[test]
fn successful_changes_have_the_messages_of_asterisk() {
    let mut pbx = new_pbx();
    for (result, message) in [
        (add(&mut pbx, "ONE", DANA), "Added interface to queue"),
        (add(&mut pbx, "two", DANA), "Added interface to queue"),
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
            pbx.remove_member("One", "LOCAL/1001@acme-agents"),
            "Removed interface from queue",
        ),
    ] {
        assert_eq!(result, Ok(message));
    }
}

#[test]
fn failed_additions_and_removals_have_the_messages_of_asterisk() {
    let mut pbx = new_pbx();
    add(&mut pbx, "two", DANA).expect("added");
    for (result, message) in [
        (
            add(&mut pbx, "two", DANA),
            "Unable to add interface: Already there",
        ),
        (
            add(&mut pbx, "six", DANA),
            "Unable to add interface to queue: No such queue",
        ),
        (
            pbx.remove_member("one", DANA),
            "Unable to remove interface: Not there",
        ),
        (
            pbx.remove_member("six", DANA),
            "Unable to remove interface from queue: No such queue",
        ),
        (pbx.remove_member("one", SAM), "Member not dynamic"),
    ] {
        assert_eq!(result, Err(message));
    }
}

#[test]
fn failed_member_changes_have_the_messages_of_asterisk() {
    let mut pbx = new_pbx();
    add(&mut pbx, "two", DANA).expect("added");
    for (result, message) in [
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
        assert_eq!(result, Err(message));
    }
}

#[test]
fn changes_are_reported_by_events_and_queue_log() {
    let mut pbx = new_pbx();
    add(&mut pbx, "one", DANA).expect("added");
    add(&mut pbx, "two", DANA).expect("added");
    assert_eq!(
        take_events(&mut pbx),
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
        take_events(&mut pbx),
        [
            format!("QueueMemberPause one {DANA} 0 0 1 1 Lunch"),
            format!("QueueMemberPause two {DANA} 0 0 1 1 Lunch"),
            format!("QueueMemberPause two {DANA} 0 0 1 0 Back"),
            format!("QueueMemberPenalty two {DANA} 7 0 1 0"),
        ]
    );
    let log = pbx.queue_log.text();
    let without_time = |line: &str| line.strip_prefix("1000").expect("the time").to_owned();
    assert_eq!(
        log.lines().map(without_time).collect::<Vec<_>>(),
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

/// A PBX where Dana and Gila are available in queue `one`, and Dana in queue `two`.
fn new_pbx_with_agents() -> SimulatedPbx {
    let mut pbx = new_pbx();
    // The static member would ring too.
    pbx.pause(Some("one"), SAM, true, "").expect("paused");
    for (queue, interface) in [("one", DANA), ("one", GILA), ("two", DANA)] {
        add(&mut pbx, queue, interface).expect("added");
    }
    take_events(&mut pbx);
    pbx
}

#[test]
fn answered_call_has_the_events_of_asterisk() {
    let mut pbx = new_pbx_with_agents();
    pbx.originate_call("one");
    assert_eq!(
        take_events(&mut pbx),
        [
            "QueueCallerJoin one 1 1".to_owned(),
            format!("AgentCalled one {GILA}"),
            format!("AgentCalled one {DANA}"),
            // A phone rings first. A Local channel is in use immediately.
            format!("QueueMemberStatus one {GILA} 0 0 6 0"),
            format!("QueueMemberStatus one {DANA} 0 0 2 0"),
            format!("QueueMemberStatus two {DANA} 0 0 2 0"),
        ]
    );
    assert_eq!(
        events_until(&mut pbx, 2),
        [
            format!("QueueMemberStatus one {GILA} 0 0 2 0"),
            "QueueCallerLeave one 1 0".to_owned(),
            format!("AgentConnect one {GILA} 1 1"),
            format!("QueueMemberStatus one {DANA} 0 0 1 0"),
            format!("QueueMemberStatus two {DANA} 0 0 1 0"),
        ]
    );
    pbx.advance(Duration::from_secs(5));
    pbx.hang_up_all();
    assert_eq!(
        take_events(&mut pbx),
        [
            format!("AgentComplete one {GILA} 1 4 caller"),
            format!("QueueMemberStatus one {GILA} 0 1 1 0"),
        ]
    );
}

#[test]
fn answered_call_changes_the_member_and_the_statistics() {
    let mut pbx = new_pbx_with_agents();
    let gila = |pbx: &mut SimulatedPbx| {
        let queue = pbx.queue_mut("one").expect("queue one");
        let member = queue.member_mut(GILA).expect("Gila");
        (member.in_call, member.calls_taken, member.last_call)
    };
    pbx.originate_call("one");
    pbx.advance(Duration::from_secs(2));
    // No event reports that the member is in a call.
    assert_eq!(gila(&mut pbx), (true, 0, 0));
    pbx.advance(Duration::from_secs(5));
    pbx.hang_up_all();
    assert_eq!(gila(&mut pbx), (false, 1, 1_005));
    let statistics = &pbx.queue_mut("one").expect("queue one").statistics;
    assert_eq!(
        (
            statistics.completed,
            statistics.hold_time,
            statistics.talk_time
        ),
        (1, 1, 4)
    );
}

#[test]
fn callers_wait_until_they_give_up() {
    let mut pbx = new_pbx();
    pbx.originate_call("two");
    // The queue has room for one caller only.
    pbx.originate_call("two");
    assert_eq!(take_events(&mut pbx), ["QueueCallerJoin two 1 1"]);
    assert_eq!(
        events_until(&mut pbx, 61),
        ["QueueCallerAbandon two 1 1 60", "QueueCallerLeave two 1 0"]
    );
}

#[test]
fn new_member_is_called_within_a_second() {
    let mut pbx = new_pbx();
    pbx.originate_call("two");
    add(&mut pbx, "two", GILA).expect("added");
    take_events(&mut pbx);
    assert_eq!(
        events_until(&mut pbx, 1),
        [
            format!("AgentCalled two {GILA}"),
            format!("QueueMemberStatus two {GILA} 0 0 6 0"),
        ]
    );
    pbx.hang_up_all();
    assert_eq!(
        take_events(&mut pbx),
        [
            "QueueCallerAbandon two 1 1 1".to_owned(),
            "QueueCallerLeave two 1 0".to_owned(),
            format!("QueueMemberStatus two {GILA} 0 0 1 0"),
        ]
    );
}

#[test]
fn unanswered_member_is_called_again_after_the_ring_timeout() {
    let mut behavior = Behavior::sample_dialplan();
    behavior.answered_percent = 0;
    let mut pbx = new_pbx_with(behavior);
    add(&mut pbx, "two", GILA).expect("added");
    pbx.originate_call("two");
    take_events(&mut pbx);
    assert_eq!(
        events_until(&mut pbx, 16),
        [
            format!("AgentRingNoAnswer two {GILA} 15000"),
            format!("QueueMemberStatus two {GILA} 0 0 1 0"),
            // The retry.
            format!("AgentCalled two {GILA}"),
            format!("QueueMemberStatus two {GILA} 0 0 6 0"),
        ]
    );
}
