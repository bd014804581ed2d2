//! Recorded answers to `QueueStatus` as queues.

use super::*;
use crate::ami::transcript::{Transcript, VERSIONS};

/// The queues of a scene; what else was said there decodes to nothing.
fn scene(version: u32, name: &str) -> Vec<Queue> {
    queues(&Transcript::load(version, name).messages())
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
        assert!(dana.login_time > 1_700_000_000);
        assert!(dana.last_pause >= dana.login_time);
        let expected = Member {
            name: "דנה לוי".into(),
            interface: "Local/1001@acme-agents".into(),
            state_interface: "Local/1001@acme-agents".into(),
            membership: Membership::Dynamic,
            penalty: 0,
            calls_taken: 0,
            last_call: 0,
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
            last_pause: 0,
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
        S:
    ";
    let mut queues = queues(&Transcript::parse(script).messages());
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
    assert_eq!((member.last_call, member.login_time), (0, 0));
    assert!(!member.paused);
}
