//! Tests of the decoder, mostly with recorded `QueueStatus` replies.

use super::*;
use crate::ami::transcript::{Transcript, VERSIONS};

/// Decodes the queues in these messages. Ignores messages that are not list rows.
fn decode_queues(rows: Vec<Message>) -> Vec<Queue> {
    queue_list(&reply(rows, true)).queues
}

fn reply(rows: Vec<Message>, is_complete: bool) -> Reply {
    Reply {
        response: Message::parse("Response: Success\r\n".into()),
        rows,
        is_complete,
        sent_at: tokio::time::Instant::now(),
    }
}

fn recorded_queues(version: u32, name: &str) -> Vec<Queue> {
    decode_queues(Transcript::load(version, name).messages())
}

fn recorded_queue(version: u32, name: &str) -> Queue {
    let mut queues = recorded_queues(version, name);
    assert_eq!(queues.len(), 1, "{version}/{name}");
    queues.remove(0)
}

#[test]
fn members_with_hebrew_and_latin_names_are_decoded() {
    for version in VERSIONS {
        let queue = recorded_queue(version, "status-members");
        assert_eq!(queue.name, "acme-6002");
        assert_eq!((queue.max_callers, queue.weight), (20, 5));
        assert_eq!(queue.service_level_seconds, 60);
        assert_eq!(queue.service_level_percent, Some(0.0));
        assert!(queue.callers.is_empty());

        let [dana, sam] = &queue.members[..] else {
            panic!("expected two members, got {:?}", queue.members);
        };
        // The times depend on when the recording was made.
        assert!(dana.login_time.unix() > 1_700_000_000);
        assert!(dana.last_pause.unix() >= dana.login_time.unix());
        let expected = Member {
            name: "דנה לוי".into(),
            interface: "Local/1001@acme-agents".into(),
            state_interface: "Local/1001@acme-agents".into(),
            membership: Membership::Dynamic,
            penalty: 0,
            calls_taken: 0,
            last_call: PbxTime::reported(0),
            last_pause: dana.last_pause,
            login_time: dana.login_time,
            in_call: false,
            device_state: DeviceState::NotInUse,
            paused: true,
            paused_reason: "הפסקת צהריים".into(),
            wrapup_seconds: 0,
            observed: Observed::default(),
        };
        assert_eq!(**dana, expected);

        let expected = Member {
            name: "Static Sam".into(),
            interface: "Local/1050@acme-agents".into(),
            state_interface: "Local/1050@acme-agents".into(),
            membership: Membership::Static,
            last_pause: PbxTime::reported(0),
            login_time: sam.login_time,
            paused: false,
            paused_reason: "".into(),
            ..expected
        };
        assert_eq!(**sam, expected);
    }
}

#[test]
fn waiting_caller_is_decoded() {
    for version in VERSIONS {
        let queue = recorded_queue(version, "status-caller");
        assert_eq!(queue.name, "acme-6001");
        assert_eq!(queue.members.len(), 1);
        let [caller] = &queue.callers[..] else {
            panic!("expected one caller, got {:?}", queue.callers);
        };
        assert!(caller.channel.starts_with("Local/acme-6001@callers-"));
        assert!(caller.unique_id.contains('.'), "{caller:?}");
        let expected = Caller {
            position: 1,
            channel: caller.channel.clone(),
            unique_id: caller.unique_id.clone(),
            number: "0501234567".into(),
            name: "Sample Caller".into(),
            wait_seconds: caller.wait_seconds,
            priority: 0,
        };
        assert_eq!(*caller, expected);
        assert!(caller.wait_seconds < 60);
    }
}

/// Asterisk 16 ignores the reason in a `QueueAdd`; Asterisk 22 stores it.
#[test]
fn pause_reason_is_decoded_if_asterisk_stores_the_reason_of_queue_add() {
    for (version, reason) in [(16, ""), (22, "Lunch")] {
        let queue = recorded_queue(version, "add-with-reason");
        let [member] = &queue.members[..] else {
            panic!("expected one member, got {:?}", queue.members);
        };
        assert!(member.paused);
        assert_eq!(&*member.paused_reason, reason, "{version}");
    }
}

#[test]
fn members_are_decoded_into_their_queue() {
    for version in VERSIONS {
        let queues = recorded_queues(version, "status-all");
        assert_eq!(queues.len(), 4);
        for queue in queues {
            let names: Vec<_> = queue.members.iter().map(|member| &*member.name).collect();
            let expected: &[&str] = match queue.name.as_str() {
                "acme-6002" => &["דנה לוי"],
                _ => &[],
            };
            assert_eq!(names, expected, "{version}/{}", queue.name);
        }
    }
}

#[test]
fn large_queue_is_decoded_completely() {
    for version in VERSIONS {
        let queue = recorded_queue(version, "status-large");
        let mut numbers: Vec<u32> = queue
            .members
            .iter()
            .filter_map(|member| member.name.strip_prefix("Agent ")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(1000..1200));
    }
}

#[test]
fn reply_for_a_missing_queue_decodes_to_no_queues() {
    for version in VERSIONS {
        assert_eq!(recorded_queues(version, "status-empty"), []);
    }
}

/// Older Asterisk versions lack some fields.
#[test]
fn missing_and_malformed_fields_decode_to_defaults() {
    let script = "
        S: Asterisk Call Manager/2.10.6
        S: Event: QueueMember
        S: Name: belongs to no queue
        S: Location: PJSIP/1001
        S: Status: 1
        S: Paused: 0
        S:
        S: Event: QueueParams
        S: Queue: old
        S: Max: many
        S: Weight: -3
        S:
        S: Event: QueueMember
        S: Location: PJSIP/1001
        S: Name: \\xd7\\x93\\xd7
        S: Membership: realtime
        S: Status: 99
        S: Paused: yes
        S: LastCall:
        S:
        S: Event: QueueEntry
        S: Position: 1
        S: Channel: PJSIP/trunk-1
        S:
    ";
    let mut queues = decode_queues(Transcript::parse(script).messages());
    assert_eq!(queues.len(), 1);
    let queue = queues.remove(0);
    assert_eq!((queue.max_callers, queue.weight), (0, -3));
    assert_eq!(queue.service_level_percent, None);
    assert_eq!(queue.callers.len(), 1);
    let [member] = &queue.members[..] else {
        panic!("expected one member, got {:?}", queue.members);
    };
    // Asterisk truncates long names in the middle of a UTF-8 character.
    assert_eq!(&*member.name, "ד\u{fffd}");
    assert_eq!(member.membership, Membership::Static);
    assert_eq!(member.device_state, DeviceState::Unknown);
    let never = PbxTime::reported(0);
    assert_eq!((member.last_call, member.login_time), (never, never));
    assert!(!member.paused);
}

#[test]
fn rows_without_key_fields_are_dropped_and_mark_the_list_incomplete() {
    let params = "S: Event: QueueParams\nS: Queue: q\nS:\n";
    let member = "S: Event: QueueMember\nS: Location: PJSIP/1\nS: Status: 1\nS: Paused: 0\nS:\n";
    let caller = "S: Event: QueueEntry\nS: Position: 1\nS: Channel: PJSIP/trunk-1\nS:\n";
    let banner = "S: Asterisk Call Manager/5.0.4\n";
    let list = |text: &str, is_complete| {
        let rows = Transcript::parse(&format!("{banner}{text}")).messages();
        queue_list(&reply(rows, is_complete))
    };
    assert!(list(&[params, member, caller].concat(), true).is_complete);
    assert!(!list(params, false).is_complete);
    for row in [member, caller] {
        for key_field in row.lines().skip(1).filter(|line| *line != "S:") {
            let broken = row.replace(key_field, "S: Name: Dana");
            let list = list(&[params, &broken].concat(), true);
            assert!(!list.is_complete, "{broken}");
            assert!(list.queues[0].members.is_empty(), "{broken}");
            assert!(list.queues[0].callers.is_empty(), "{broken}");
        }
    }
}

#[test]
fn header_lines_in_a_pause_reason_are_ignored() {
    let row = "Event: QueueMember\r\nQueue: q\r\nName: Dana\r\nLocation: PJSIP/1\r\n\
        StateInterface: PJSIP/1\r\nMembership: dynamic\r\nStatus: 1\r\nPaused: 1\r\n\
        PausedReason: Lunch\r\nLocation: PJSIP/9\r\nPaused: 0\r\nStatus: 5\r\nWrapuptime: 0\r\n";
    let rows = ["Event: QueueParams\r\nQueue: q\r\n", row];
    let queue = decode_queues(rows.map(|row| Message::parse(row.into())).to_vec()).remove(0);
    let member = queue.member("PJSIP/1").expect("the real member");
    assert_eq!(
        (member.paused, member.device_state),
        (true, DeviceState::NotInUse)
    );
}

#[test]
fn header_lines_in_a_name_are_ignored() {
    let row = "Event: QueueMember\r\nQueue: q\r\nName: Dana\r\nLocation: PJSIP/9\r\nStatus: 2\r\n\
        Paused: 1\r\nLocation: PJSIP/1\r\nStateInterface: PJSIP/1\r\nStatus: 1\r\nPaused: 0\r\n";
    let params = "Event: QueueParams\r\nQueue: q\r\n";
    let rows = [params, row].map(|row| Message::parse(row.into())).to_vec();
    let queue = decode_queues(rows).remove(0);
    let [member] = &queue.members[..] else {
        panic!("expected one member, got {:?}", queue.members);
    };
    assert_eq!(&*member.interface, "PJSIP/1");
    assert_eq!(
        (member.paused, member.device_state),
        (false, DeviceState::NotInUse)
    );
}
