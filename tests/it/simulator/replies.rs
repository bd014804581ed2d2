//! Asterisk's responses to valid and invalid queue actions, and its lines in `queue_log`. The
//! simulated PBX must send the same responses and log the same lines.

use crate::support::{Asterisk, on_every_pbx};

on_every_pbx!(queue_actions_have_asterisks_responses_and_log_lines);

fn queue_actions_have_asterisks_responses_and_log_lines(version: u32) {
    let asterisk = Asterisk::start(version);
    let mut ami = asterisk.ami();
    for (action, expected) in [
        ("Add|Interface: x", "Error: 'Queue' not specified."),
        (
            "Add|Queue: acme-6001|Interface:",
            "Error: 'Interface' not specified.",
        ),
        (
            "Add|Queue: x|DANA",
            "Error: Unable to add interface to queue: No such queue",
        ),
        (
            "Add|Queue: Acme-6001|DANA|Penalty: -3",
            "Success: Added interface to queue",
        ),
        (
            "ADD|QUEUE: acme-6001|dana",
            "Error: Unable to add interface: Already there",
        ),
        (
            "Add|Queue: acme-6002|SAM",
            "Error: Unable to add interface: Already there",
        ),
        (
            "Pause|Paused: 1",
            "Error: Need 'Interface' and 'Paused' parameters.",
        ),
        (
            "Pause|DANA",
            "Error: Need 'Interface' and 'Paused' parameters.",
        ),
        (
            "Pause|dana|Paused: on",
            "Success: Interface paused successfully",
        ),
        (
            "Pause|dana|Paused: banana",
            "Success: Interface unpaused successfully",
        ),
        (
            "Pause|Queue: acme-6002|DANA|Paused: 1",
            "Error: Interface not found",
        ),
        (
            "Pause|Queue: x|DANA|Paused: 1",
            "Error: Interface not found",
        ),
        (
            "Pause|Interface: nobody|Paused: 1",
            "Error: Interface not found",
        ),
        (
            "Penalty|DANA",
            "Error: Need 'Interface' and 'Penalty' parameters.",
        ),
        (
            "Penalty|DANA|Penalty: 4",
            "Success: Interface penalty set successfully",
        ),
        (
            "Penalty|DANA|Penalty: abc",
            "Success: Interface penalty set successfully",
        ),
        (
            "Penalty|DANA|Penalty: -1",
            "Error: Invalid interface, queuename or penalty",
        ),
        (
            "Penalty|Interface: x|Penalty: 1",
            "Error: Invalid interface, queuename or penalty",
        ),
        (
            "MemberRingInUse|DANA",
            "Error: Need 'Interface' and 'RingInUse' parameters.",
        ),
        (
            "MemberRingInUse|DANA|RingInUse: maybe",
            "Error: 'RingInUse' parameter must be a truth value (yes/no, on/off, 0/1, etc)",
        ),
        (
            "MemberRingInUse|DANA|RingInUse: no",
            "Success: Interface ringinuse set successfully",
        ),
        (
            "Remove|DANA",
            "Error: Need 'Queue' and 'Interface' parameters.",
        ),
        ("Remove|Queue: acme-6002|SAM", "Error: Member not dynamic"),
        (
            "Remove|Queue: x|DANA",
            "Error: Unable to remove interface from queue: No such queue",
        ),
        (
            "Remove|Queue: ACME-6001|dana",
            "Success: Removed interface from queue",
        ),
        (
            "Remove|Queue: acme-6001|DANA",
            "Error: Unable to remove interface: Not there",
        ),
        ("Reset", "Success: Queue stats reset successfully"),
        ("Reset|Queue: x", "Success: Queue stats reset successfully"),
    ] {
        let action = action
            .replace('|', "\r\n")
            .replace("DANA", "Interface: Local/1001@acme-agents")
            .replace("dana", "Interface: local/1001@ACME-agents")
            .replace("SAM", "Interface: Local/1050@acme-agents");
        assert_eq!(
            ami.reply_text(&format!("Queue{action}")),
            expected,
            "{action}"
        );
    }
    for (action, expected) in [
        ("Events\r\nEventMask:", "Error: Invalid event mask"),
        ("Challenge", "Error: Must specify AuthType"),
        (
            "Login\r\nUsername: x\r\nSecret: y",
            "Success: Already authenticated",
        ),
        ("\r\nX: y", "Error: Missing action in request"),
    ] {
        assert_eq!(ami.reply_text(action), expected, "{action}");
    }
    let unknown = ami.reply_text("Fly");
    assert!(
        unknown.starts_with("Error: Invalid/unknown command: Fly. Use "),
        "{unknown}"
    );
    let log = asterisk.queue_log();
    let lines: Vec<_> = log
        .lines()
        .filter_map(|line| Some(line.split_once('|')?.1))
        .collect();
    let name = "Local/1001@acme-agents";
    assert_eq!(
        lines,
        [
            "NONE|NONE|NONE|QUEUESTART|".to_owned(),
            // ADDMEMBER and REMOVEMEMBER lines spell names as the action did.
            format!("MANAGER|Acme-6001|{name}|ADDMEMBER|"),
            format!("NONE|NONE|{name}|PAUSEALL|"),
            format!("NONE|acme-6001|{name}|PAUSE|"),
            format!("NONE|NONE|{name}|UNPAUSEALL|"),
            format!("NONE|acme-6001|{name}|UNPAUSE|"),
            format!("NONE|acme-6001|{name}|PENALTY|4"),
            format!("NONE|acme-6001|{name}|PENALTY|0"),
            format!("NONE|acme-6001|{name}|RINGINUSE|0"),
            "MANAGER|ACME-6001|local/1001@ACME-agents|REMOVEMEMBER|".to_owned(),
        ]
    );
}
