//! Recorded answers to `QueueStatus` as queues.

use super::*;
use crate::ami::transcript::{Transcript, VERSIONS};

/// The queues of a scene; what else was said there decodes to nothing.
fn decoded(rows: Vec<Message>) -> Vec<Queue> {
    listed(&answer(rows, true)).queues
}

fn answer(rows: Vec<Message>, is_complete: bool) -> Reply {
    Reply {
        response: Message::parse("Response: Success\r\n".into()),
        rows,
        is_complete,
        sent_at: tokio::time::Instant::now(),
    }
}

fn scene(version: u32, name: &str) -> Vec<Queue> {
    decoded(Transcript::load(version, name).messages())
}

fn one_queue(version: u32, name: &str) -> Queue {
    let mut queues = scene(version, name);
    assert_eq!(queues.len(), 1, "{version}/{name}");
    queues.remove(0)
}

#[test]
fn members_are_decoded_whatever_their_script() {
    for version in VERSIONS {
        let queue = one_queue(version, "status-members");
        assert_eq!(queue.name, "acme-6002");
        assert_eq!((queue.max_callers, queue.weight), (20, 5));
        assert_eq!(queue.service_level_seconds, 60);
        assert_eq!(queue.service_level_percent, Some(0.0));
        assert!(queue.callers.is_empty());

        let [dana, sam] = &queue.members[..] else {
            panic!("{:?}", queue.members);
        };
        // Times are the recording's.
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
fn a_waiting_caller_is_decoded() {
    for version in VERSIONS {
        let queue = one_queue(version, "status-caller");
        assert_eq!(queue.name, "acme-6001");
        assert_eq!(queue.members.len(), 1);
        let [caller] = &queue.callers[..] else {
            panic!("{:?}", queue.callers);
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

/// Asterisk 16 does not take it from a QueueAdd, 22 does.
#[test]
fn the_reason_of_a_member_added_as_paused() {
    for (version, reason) in [(16, ""), (22, "Lunch")] {
        let queue = one_queue(version, "add-with-reason");
        let [member] = &queue.members[..] else {
            panic!("{:?}", queue.members);
        };
        assert!(member.paused);
        assert_eq!(&*member.paused_reason, reason, "{version}");
    }
}

#[test]
fn members_stay_with_their_queue() {
    for version in VERSIONS {
        let queues = scene(version, "status-all");
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
fn a_large_queue_is_decoded_whole() {
    for version in VERSIONS {
        let queue = one_queue(version, "status-large");
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
fn a_queue_that_does_not_exist_is_no_queue() {
    for version in VERSIONS {
        assert_eq!(scene(version, "status-empty"), []);
    }
}

/// What older versions lack, and what can't be read, is as if it were zero.
#[test]
fn absent_and_broken_fields_are_harmless() {
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
    let mut queues = decoded(Transcript::parse(script).messages());
    assert_eq!(queues.len(), 1);
    let queue = queues.remove(0);
    assert_eq!((queue.max_callers, queue.weight), (0, -3));
    assert_eq!(queue.service_level_percent, None);
    assert_eq!(queue.callers.len(), 1);
    let [member] = &queue.members[..] else {
        panic!("{:?}", queue.members);
    };
    // Asterisk cuts long names in the middle of a character.
    assert_eq!(&*member.name, "ד\u{fffd}");
    assert_eq!(member.membership, Membership::Static);
    assert_eq!(member.device_state, DeviceState::Unknown);
    let never = PbxTime::reported(0);
    assert_eq!((member.last_call, member.login_time), (never, never));
    assert!(!member.paused);
}

/// A row without key fields makes no member and no caller, and shows that the list is not
/// whole.
#[test]
fn rows_without_key_fields_are_nobody() {
    let params = "S: Event: QueueParams\nS: Queue: q\nS:\n";
    let member = "S: Event: QueueMember\nS: Location: PJSIP/1\nS: Status: 1\nS: Paused: 0\nS:\n";
    let caller = "S: Event: QueueEntry\nS: Position: 1\nS: Channel: PJSIP/trunk-1\nS:\n";
    let banner = "S: Asterisk Call Manager/5.0.4\n";
    let list = |text: &str, adds_up| {
        let rows = Transcript::parse(&format!("{banner}{text}")).messages();
        listed(&answer(rows, adds_up))
    };
    assert!(list(&[params, member, caller].concat(), true).is_complete);
    assert!(!list(params, false).is_complete);
    let lines = [member, caller].map(|row| (row, row.lines().skip(1).filter(|line| *line != "S:")));
    for (row, line) in lines
        .into_iter()
        .flat_map(|(row, lines)| lines.map(move |l| (row, l)))
    {
        let broken = row.replace(line, "S: Name: Dana");
        let listed = list(&[params, &broken].concat(), true);
        assert!(!listed.is_complete, "{broken}");
        assert_eq!(
            listed.queues[0].members.len() + listed.queues[0].callers.len(),
            0
        );
    }
}

/// What stands in a name or a reason is not taken for a header that Asterisk writes.
#[test]
fn a_reason_can_not_stand_for_another_member() {
    let row = "Event: QueueMember\r\nQueue: q\r\nName: Dana\r\nLocation: PJSIP/1\r\n\
        StateInterface: PJSIP/1\r\nMembership: dynamic\r\nStatus: 1\r\nPaused: 1\r\n\
        PausedReason: Lunch\r\nLocation: PJSIP/9\r\nPaused: 0\r\nStatus: 5\r\nWrapuptime: 0\r\n";
    let rows = ["Event: QueueParams\r\nQueue: q\r\n", row];
    let queue = decoded(rows.map(|row| Message::parse(row.into())).to_vec()).remove(0);
    let member = queue.member("PJSIP/1").expect("the true member");
    assert_eq!(
        (member.paused, member.device_state),
        (true, DeviceState::NotInUse)
    );
}

#[test]
fn a_name_can_not_stand_for_another_member() {
    let row = "Event: QueueMember\r\nQueue: q\r\nName: Dana\r\nLocation: PJSIP/9\r\nStatus: 2\r\n\
        Paused: 1\r\nLocation: PJSIP/1\r\nStateInterface: PJSIP/1\r\nStatus: 1\r\nPaused: 0\r\n";
    let params = "Event: QueueParams\r\nQueue: q\r\n";
    let rows = [params, row].map(|row| Message::parse(row.into())).to_vec();
    let queue = decoded(rows).remove(0);
    let [member] = &queue.members[..] else {
        panic!("{:?}", queue.members);
    };
    assert_eq!(&*member.interface, "PJSIP/1");
    assert_eq!(
        (member.paused, member.device_state),
        (false, DeviceState::NotInUse)
    );
}
