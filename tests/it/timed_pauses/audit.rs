//! The audit log of the pauses that the bridge ends.

use serde_json::Value;

use super::{Scene, interface};
use crate::support::{eventually, on_every_pbx};

on_every_pbx!(each_end_has_an_audit_line_with_the_request_of_the_pause);

/// Returns the audit lines of the ends of an agent's pauses, one for each queue.
fn audit_lines(scene: &Scene, agent: u16) -> Vec<Value> {
    let agent = agent.to_string();
    let log = scene.bridge().log();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| line["target"] == "audit" && line["actor"] == "timer")
        .filter(|line| line["agent"].as_str() == Some(&agent))
        .collect()
}

fn wait_for_lines(scene: &Scene, agent: u16, count: usize) -> Vec<Value> {
    eventually(
        &format!("{count} audit lines of the ends for agent {agent}"),
        || {
            let lines = audit_lines(scene, agent);
            (lines.len() >= count).then_some(lines)
        },
    )
}

fn each_end_has_an_audit_line_with_the_request_of_the_pause(version: u32) {
    let scene = Scene::start(version, &[]);
    let bridge = scene.bridge();
    for query in [
        "action=add&agent=1001&queue=6001",
        "action=add&agent=1001&queue=6002",
        "action=add&agent=1002&queue=6001",
    ] {
        bridge.acme_ok(query);
    }
    let body = bridge.acme_ok("action=pause&agent=1001&reason=Tea&duration=1");
    let reply = scene.asterisk.ami().reply_text(&format!(
        "QueuePause\r\nQueue: acme-6001\r\nInterface: {}\r\nPaused: true\r\nReason: Lunch",
        interface(1002)
    ));
    assert_eq!(reply, "Success: Interface paused successfully");

    let lines = wait_for_lines(&scene, 1001, 2);
    let mut queues: Vec<_> = lines.iter().map(|line| line["queue"].as_str()).collect();
    queues.sort_unstable();
    assert_eq!(queues, [Some("6001"), Some("6002")], "{lines:#?}");
    for line in &lines {
        assert_eq!(line["request_id"], body["request_id"], "{line}");
        assert_eq!(line["user"], "acme@example.com", "{line}");
        assert_eq!(line["organization"], "acme", "{line}");
        assert_eq!(line["action"], "unpause", "{line}");
        assert_eq!(line["outcome"], "success", "{line}");
    }
    let lines = wait_for_lines(&scene, 1002, 1);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    for field in ["request_id", "user"] {
        let value = &lines[0][field];
        assert!(
            value.is_null(),
            "{field} of a pause made elsewhere: {value}"
        );
    }
}
