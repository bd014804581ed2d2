//! Asterisk's queue events and their order, on which the bridge relies. The simulated PBX must
//! send the same events.

use crate::support::{Ami, Asterisk, eventually, on_every_pbx};

on_every_pbx!(
    member_events_contain_the_whole_member,
    answered_call_sends_its_events_in_order,
    abandoned_call_sends_its_events_in_order,
    device_state_is_reported_for_every_queue,
);

type Event = Vec<(String, String)>;

const MEMBER_HEADERS: &str = "Event Privilege Queue MemberName Interface StateInterface Membership Penalty \
    CallsTaken LastCall LastPause LoginTime InCall Status Paused PausedReason Ringinuse Wrapuptime";
const CHANNEL_HEADERS: &str = "Channel ChannelState ChannelStateDesc CallerIDNum CallerIDName \
    ConnectedLineNum ConnectedLineName Language AccountCode Context Exten Priority Uniqueid Linkedid";

fn log_in(asterisk: &Asterisk) -> Ami {
    let mut ami = Ami::login_with_events(asterisk.port, "tester", "tester-secret", "agent,system");
    assert_eq!(value(&ami.next_event(), "Event"), "FullyBooted");
    ami
}

fn value<'a>(event: &'a Event, name: &str) -> &'a str {
    let mut matching = event.iter().filter(|(header, _)| header == name);
    matching.next().map_or("", |(_, value)| value)
}

fn values(event: &Event, names: &str) -> String {
    let values = names.split(' ').map(|name| value(event, name));
    values.collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

fn names(event: &Event) -> String {
    let names = event.iter().map(|(name, _)| name.as_str());
    names.collect::<Vec<_>>().join(" ")
}

/// Returns the next events, up to and including the first that matches `is_last`.
fn events_until(ami: &mut Ami, mut is_last: impl FnMut(&Event) -> bool) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        events.push(ami.next_event());
        if events.last().is_some_and(&mut is_last) {
            return events;
        }
    }
}

fn is_status(event: &Event, status: &str) -> bool {
    value(event, "Event") == "QueueMemberStatus" && value(event, "Status") == status
}

/// Returns the values of `headers` for each event except `QueueMemberStatus`, which Asterisk
/// sends from another thread, so that its position varies.
fn steps(events: &[Event], headers: &str) -> Vec<String> {
    let steps = events
        .iter()
        .filter(|event| value(event, "Event") != "QueueMemberStatus");
    steps.map(|event| values(event, headers)).collect()
}

fn member_events_contain_the_whole_member(version: u32) {
    let asterisk = Asterisk::start(version);
    let mut ami = log_in(&asterisk);
    let headers = "Event Queue MemberName Interface StateInterface Membership Penalty CallsTaken \
        InCall Status Paused Ringinuse Wrapuptime PausedReason";
    let dana = "Dana Local/1001@acme-agents Local/1001@acme-agents dynamic";
    // Asterisk 16 reports the reason for an unpause in the separate header `Reason`.
    let back = if version == 16 { "" } else { " Back" };
    for (action, expected) in [
        (
            "Add\r\nMemberName: Dana\r\nPenalty: 2",
            format!("Added acme-6001 {dana} 2 0 0 1 0 0 0"),
        ),
        (
            "Pause\r\nPaused: true\r\nReason: Lunch",
            format!("Pause acme-6001 {dana} 2 0 0 1 1 0 0 Lunch"),
        ),
        (
            "Pause\r\nPaused: true",
            format!("Pause acme-6001 {dana} 2 0 0 1 1 0 0"),
        ),
        (
            "Pause\r\nPaused: false\r\nReason: Back",
            format!("Pause acme-6001 {dana} 2 0 0 1 0 0 0{back}"),
        ),
        (
            "Penalty\r\nPenalty: 5",
            format!("Penalty acme-6001 {dana} 5 0 0 1 0 0 0"),
        ),
        (
            "MemberRingInUse\r\nRingInUse: yes",
            format!("Ringinuse acme-6001 {dana} 5 0 0 1 0 1 0"),
        ),
        ("Remove", format!("Removed acme-6001 {dana} 5 0 0 1 0 1 0")),
    ] {
        let response = ami.send(&format!(
            "Action: Queue{action}\r\nQueue: ACME-6001\r\nInterface: Local/1001@acme-agents"
        ));
        assert_eq!(response["Response"], "Success", "{action}: {response:?}");
        let event = ami.next_event();
        assert_eq!(values(&event, headers), format!("QueueMember{expected}"));
        let reason_header = if version == 16 && action.contains("Reason") {
            " Reason"
        } else {
            ""
        };
        assert_eq!(names(&event), format!("{MEMBER_HEADERS}{reason_header}"));
        let was_paused = value(&event, "LastPause") != "0";
        assert_eq!(was_paused, !action.starts_with("Add"));
        assert_ne!(value(&event, "LoginTime"), "0");
    }
}

fn answered_call_sends_its_events_in_order(version: u32) {
    let asterisk = Asterisk::start(version);
    let mut ami = log_in(&asterisk);
    for queue in ["acme-6001", "acme-6002"] {
        let interface = "Local/1001@acme-agents";
        ami.send(&format!(
            "Action: QueueAdd\r\nQueue: {queue}\r\nInterface: {interface}"
        ));
        ami.next_event();
    }
    asterisk.add_caller("acme-6001");
    // Another thread of Asterisk reports the two devices, perhaps only after AgentConnect.
    let (mut connected, mut devices_in_use) = (false, 0);
    let events_until_connect = events_until(&mut ami, |event| {
        connected |= value(event, "Event") == "AgentConnect";
        devices_in_use += usize::from(is_status(event, "2"));
        connected && devices_in_use == 2
    });
    let headers = "Event Queue Interface Position Count ChannelState DestChannelState CallerIDNum \
        DestCallerIDNum DestConnectedLineName DestContext DestExten";
    let agent = "acme-6001 Local/1001@acme-agents";
    let dest = "acme-6001 Sample Caller acme-agents acme-6001";
    // On a busy machine, the agent's channel may already be ringing (state 5 instead of 0)
    // when Asterisk sends AgentCalled.
    let begun_steps = steps(&events_until_connect, headers).into_iter();
    let begun_steps: Vec<_> = begun_steps
        .map(|step| step.replace("   6 5 ", "   6 0 "))
        .collect();
    assert_eq!(
        begun_steps,
        [
            "QueueCallerJoin acme-6001  1 1 6  0501234567".to_owned(),
            format!("AgentCalled {agent}   6 0 0501234567 {dest}"),
            "QueueCallerLeave acme-6001  1 0 6  0501234567".to_owned(),
            format!("AgentConnect {agent}   6 6 0501234567 {dest}"),
        ]
    );
    let dest_headers = CHANNEL_HEADERS.split(' ').map(|name| format!("Dest{name}"));
    let dest_headers = dest_headers.collect::<Vec<_>>().join(" ");
    for (event, more_headers) in [
        ("QueueCallerJoin", "Queue Position Count".to_owned()),
        ("QueueCallerLeave", "Queue Position Count".to_owned()),
        (
            "AgentCalled",
            format!("{dest_headers} Queue Interface MemberName"),
        ),
        (
            "AgentConnect",
            format!("{dest_headers} Queue Interface MemberName HoldTime RingTime"),
        ),
    ] {
        let found = events_until_connect
            .iter()
            .find(|found| value(found, "Event") == event);
        let expected = format!("Event Privilege {CHANNEL_HEADERS} {more_headers}");
        assert_eq!(names(found.expect(event)), expected, "{event}");
    }
    // In each of the agent's queues, the device is in use as soon as it rings.
    let states = events_until_connect
        .iter()
        .filter(|event| is_status(event, "2"));
    let states: Vec<_> = states.map(|event| values(event, "Queue InCall")).collect();
    assert_eq!(states, ["acme-6001 0", "acme-6002 0"]);
    // Asterisk sends no event when InCall changes, so the test queries it.
    let member = eventually("the agent is in a call", || {
        let mut ami = asterisk.ami();
        let member = ami.member("acme-6001", "Local/1001@acme-agents")?;
        (member["InCall"] == "1").then_some(member)
    });
    assert_eq!(member["Status"], "2");

    asterisk.cli("channel request hangup all");
    let (mut complete, mut idle_devices) = (false, 0);
    let hangup_events = events_until(&mut ami, |event| {
        complete |= value(event, "Event") == "AgentComplete";
        idle_devices += usize::from(is_status(event, "1"));
        complete && idle_devices == 2
    });
    assert_eq!(
        steps(&hangup_events, "Event Queue Interface"),
        [format!("AgentComplete {agent}")]
    );
    let complete = hangup_events
        .iter()
        .find(|event| value(event, "Event") == "AgentComplete");
    assert!(
        names(complete.expect("an AgentComplete")).ends_with("MemberName HoldTime TalkTime Reason")
    );
    let states = hangup_events.iter().filter(|event| is_status(event, "1"));
    let states: Vec<_> = states.map(|event| value(event, "Queue")).collect();
    assert_eq!(states, ["acme-6001", "acme-6002"]);
    // Asterisk resets InCall a little later, without an event.
    eventually("the call is over", || {
        let row = asterisk.ami().member("acme-6001", "Local/1001@acme-agents");
        (row.expect("a member")["InCall"] == "0").then_some(())
    });
}

fn abandoned_call_sends_its_events_in_order(version: u32) {
    let asterisk = Asterisk::start(version);
    let mut ami = log_in(&asterisk);
    for position in ["1", "2"] {
        asterisk.add_caller("globex-6001");
        let joined = ami.next_event();
        assert_eq!(
            values(&joined, "Event Position Count"),
            format!("QueueCallerJoin {position} {position}")
        );
    }
    asterisk.cli("channel request hangup all");
    let mut left_count = 0;
    let events = events_until(&mut ami, |event| {
        left_count += usize::from(value(event, "Event") == "QueueCallerLeave");
        left_count == 2
    });
    for name in ["QueueCallerAbandon", "QueueCallerLeave"] {
        let matching = events.iter().filter(|event| value(event, "Event") == name);
        assert_eq!(matching.count(), 2, "{name}");
    }
    // For each caller, Asterisk sends QueueCallerAbandon before QueueCallerLeave.
    assert_eq!(value(&events[0], "Event"), "QueueCallerAbandon");
    assert!(names(&events[0]).ends_with("Linkedid Queue Position OriginalPosition HoldTime"));
    assert_eq!(value(events.last().expect("an event"), "Count"), "0");
}

fn device_state_is_reported_for_every_queue(version: u32) {
    let asterisk = Asterisk::start(version);
    let mut ami = log_in(&asterisk);
    for queue in ["acme-6001", "acme-6002"] {
        ami.send(&format!(
            "Action: QueueAdd\r\nQueue: {queue}\r\nInterface: Local/1001@acme-agents\r\n\
             StateInterface: Custom:dana"
        ));
        assert_eq!(value(&ami.next_event(), "Status"), "0");
    }
    for (state, code) in [("INUSE", "2"), ("RINGING", "6"), ("NOT_INUSE", "1")] {
        asterisk.cli(&format!("devstate change Custom:dana {state}"));
        for queue in ["acme-6001", "acme-6002"] {
            let event = ami.next_event();
            assert_eq!(
                values(&event, "Event Queue Status"),
                format!("QueueMemberStatus {queue} {code}")
            );
            assert_eq!(names(&event), MEMBER_HEADERS);
        }
    }
}
