//! Tests of call events, and of the changes that calls make to members and statistics.

use std::time::Duration;

use super::{DANA, GILA, SAM, add, events_until, new_pbx, new_pbx_with, take_events};
use crate::simulator::behavior::{Behavior, CallerSource};
use crate::simulator::pbx::SimulatedPbx;

/// Creates a PBX on which Dana and Gila are available in queue `one`, and Dana in queue `two`.
fn new_pbx_with_agents() -> SimulatedPbx {
    let mut pbx = new_pbx();
    // Otherwise the static member would also ring.
    pbx.pause(Some("one"), SAM, true, "")
        .expect("a successful pause");
    for (queue, interface) in [("one", DANA), ("one", GILA), ("two", DANA)] {
        add(&mut pbx, queue, interface).expect("a successful addition");
    }
    take_events(&mut pbx);
    pbx
}

#[test]
fn answered_call_causes_the_same_events_as_in_asterisk() {
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
    let gila_state = |pbx: &mut SimulatedPbx| {
        let queue = pbx.queue_mut("one").expect("queue one");
        let member = queue.member_mut(GILA).expect("Gila");
        (member.in_call, member.calls_taken, member.last_call)
    };
    pbx.originate_call("one");
    pbx.advance(Duration::from_secs(2));
    // No event reports that the member is in a call.
    assert_eq!(gila_state(&mut pbx), (true, 0, 0));
    pbx.advance(Duration::from_secs(5));
    pbx.hang_up_all();
    assert_eq!(gila_state(&mut pbx), (false, 1, 1_005));
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
fn caller_and_agent_channels_have_distinct_unique_ids() {
    let mut behavior = Behavior::sample_dialplan();
    behavior.caller_sources = vec![CallerSource {
        queue: "one".to_owned(),
        interval_ms: 1_000_000..1_000_001,
        callers: 1,
    }];
    let mut pbx = new_pbx_with(behavior);
    pbx.pause(Some("one"), SAM, true, "")
        .expect("a successful pause");
    add(&mut pbx, "one", GILA).expect("a successful addition");
    pbx.start_call_timers();
    pbx.advance(Duration::from_secs(4));
    let events = pbx.take_events();
    let mut called = events
        .iter()
        .filter(|event| event.text.starts_with("Event: AgentCalled\r\n"));
    let text = &called.next().expect("an AgentCalled event").text;
    let value = |name: &str| {
        let mut headers = text.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(header, _)| *header == name)
    };
    let (_, caller) = value("Uniqueid").expect("the caller's channel");
    let (_, agent) = value("DestUniqueid").expect("the agent's channel");
    assert_ne!(caller, agent);
}

#[test]
fn callers_wait_until_they_give_up() {
    let mut pbx = new_pbx();
    pbx.originate_call("two");
    // The queue is full after one caller.
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
    add(&mut pbx, "two", GILA).expect("a successful addition");
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
    add(&mut pbx, "two", GILA).expect("a successful addition");
    pbx.originate_call("two");
    take_events(&mut pbx);
    assert_eq!(
        events_until(&mut pbx, 16),
        [
            format!("AgentRingNoAnswer two {GILA} 15000"),
            format!("QueueMemberStatus two {GILA} 0 0 1 0"),
            // The queue calls the member again.
            format!("AgentCalled two {GILA}"),
            format!("QueueMemberStatus two {GILA} 0 0 6 0"),
        ]
    );
}

#[test]
fn autopause_spares_members_whose_last_call_was_recent() {
    let mut behavior = Behavior::sample_dialplan();
    behavior.answered_percent = 0;
    let queues = "[one]\ntimeout=2\nautopause=yes\nautopausedelay=8\n";
    let mut pbx = SimulatedPbx::new(queues, behavior, 1, Duration::from_secs(1_000));
    add(&mut pbx, "one", GILA).expect("a successful addition");
    let gila = pbx
        .queue_mut("one")
        .and_then(|queue| queue.member_mut(GILA));
    gila.expect("Gila").last_call = 1_000;
    pbx.advance(Duration::from_secs(1));
    pbx.originate_call("one");
    let mut missed_and_paused = Vec::new();
    for second in 1..12 {
        pbx.advance(Duration::from_secs(second));
        let events = pbx.take_events().into_iter().map(|event| event.text);
        for event in ["AgentRingNoAnswer", "QueueMemberPause"] {
            let start = format!("Event: {event}\r\n");
            if events.clone().any(|text| text.starts_with(&start)) {
                missed_and_paused.push((second, event));
            }
        }
    }
    // Asterisk 16 and 22 do the same.
    let expected = [
        (3, "AgentRingNoAnswer"),
        (6, "AgentRingNoAnswer"),
        (9, "AgentRingNoAnswer"),
        (9, "QueueMemberPause"),
    ];
    assert_eq!(missed_and_paused, expected);
}
