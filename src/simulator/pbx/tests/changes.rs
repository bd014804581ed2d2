//! The results, events and `queue_log` lines of membership changes.

use super::{DANA, SAM, add, new_pbx, take_events};

#[test]
fn successful_changes_return_the_same_messages_as_asterisk() {
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
fn failed_additions_and_removals_return_the_same_messages_as_asterisk() {
    let mut pbx = new_pbx();
    add(&mut pbx, "two", DANA).expect("a successful addition");
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
fn failed_member_changes_return_the_same_messages_as_asterisk() {
    let mut pbx = new_pbx();
    add(&mut pbx, "two", DANA).expect("a successful addition");
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
fn changes_cause_events_and_queue_log_lines() {
    let mut pbx = new_pbx();
    add(&mut pbx, "one", DANA).expect("a successful addition");
    add(&mut pbx, "two", DANA).expect("a successful addition");
    assert_eq!(
        take_events(&mut pbx),
        [
            format!("QueueMemberAdded one {DANA} 0 0 1 0"),
            format!("QueueMemberAdded two {DANA} 0 0 1 0"),
        ]
    );
    pbx.pause(None, DANA, true, "Lunch")
        .expect("a successful pause");
    pbx.pause(Some("two"), DANA, false, "Back")
        .expect("a successful unpause");
    pbx.set_penalty(Some("two"), DANA, Some(7))
        .expect("a successful change");
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
    let without_time = |line: &str| {
        line.strip_prefix("1000")
            .expect("a line that starts with the time")
            .to_owned()
    };
    assert_eq!(
        log.lines().map(without_time).collect::<Vec<_>>(),
        [
            "|NONE|NONE|NONE|QUEUESTART|".to_owned(),
            format!("|MANAGER|one|{DANA}|ADDMEMBER|"),
            format!("|MANAGER|two|{DANA}|ADDMEMBER|"),
            format!("|NONE|NONE|{DANA}|PAUSEALL|Lunch"),
            format!("|NONE|one|{DANA}|PAUSE|Lunch"),
            format!("|NONE|two|{DANA}|PAUSE|Lunch"),
            format!("|NONE|two|{DANA}|UNPAUSE|Back"),
            format!("|NONE|two|{DANA}|PENALTY|7"),
        ]
    );
}
