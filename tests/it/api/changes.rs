//! The responses to pause, unpause, add and remove, and their effects on the PBX. A second AMI
//! session observes the effects.

use serde_json::{Value, json};

use crate::support::{Ami, on_every_pbx, start};

on_every_pbx!(
    add_creates_a_dynamic_member,
    add_with_paused_adds_a_paused_member,
    pause_applies_to_the_named_queue_or_to_all_of_the_agents_queues,
    repeated_pause_replaces_the_reason,
    unpause_ends_the_pause_and_logs_its_reason,
    remove_removes_the_agent_from_the_named_queue_only,
    change_in_several_queues_reports_a_result_per_queue,
    added_member_has_the_configured_state_interface,
    alias_and_reason_may_contain_any_language,
    concurrent_clients_get_their_own_responses,
);

/// Returns the fields that a change can set, as Asterisk reports them for the member.
fn member(ami: &mut Ami, queue: &str, agent: &str) -> Option<[String; 5]> {
    let row = ami.member(queue, &format!("Local/{agent}@acme-agents"))?;
    let field = |name: &str| row[name].clone();
    Some(["Name", "Penalty", "Paused", "PausedReason", "Membership"].map(field))
}

fn dynamic_member(name: &str, penalty: &str, paused: &str, reason: &str) -> Option<[String; 5]> {
    Some([name, penalty, paused, reason, "dynamic"].map(str::to_owned))
}

/// Removes the request id, which differs between requests.
fn without_id(mut body: Value) -> Value {
    let id = body
        .as_object_mut()
        .and_then(|body| body.remove("request_id"));
    assert!(id.is_some_and(|id| id.is_string()));
    body
}

fn add_creates_a_dynamic_member(version: u32) {
    let (asterisk, bridge) = start(version);
    let mut ami = asterisk.ami();
    let body = bridge.acme_ok("action=add&agent=1001&queue=6001");
    assert_eq!(
        without_id(body),
        json!({"status": "success", "action": "add", "agent": "1001", "alias": "1001",
            "reason": null, "queues": [{"queue": "6001", "result": "ok"}]})
    );
    assert_eq!(
        member(&mut ami, "acme-6001", "1001"),
        dynamic_member("1001", "0", "0", "")
    );

    let body = bridge.acme_ok("action=ADD&agent=1002&queue=6001&alias=Dana+D.&penalty=7&paused=no");
    assert_eq!(body["alias"], "Dana D.");
    assert_eq!(
        member(&mut ami, "acme-6001", "1002"),
        dynamic_member("Dana D.", "7", "0", "")
    );

    // The reason is ignored unless the agent is added as paused.
    let body = bridge.acme_ok("action=add&agent=1003&queue=6001&reason=Lunch");
    assert_eq!(body["reason"], Value::Null);
    assert_eq!(
        member(&mut ami, "acme-6001", "1003"),
        dynamic_member("1003", "0", "0", "")
    );
    let output = asterisk.cli("queue show acme-6001");
    assert!(
        output.contains("Dana D. (Local/1002@acme-agents) with penalty 7"),
        "{output}"
    );
}

fn add_with_paused_adds_a_paused_member(version: u32) {
    let (asterisk, bridge) = start(version);
    let mut ami = asterisk.ami();
    let body = bridge.acme_ok("action=add&agent=1001&queue=6001,6002&paused=true&reason=Training");
    assert_eq!(body["reason"], "Training");
    for queue in ["acme-6001", "acme-6002"] {
        assert_eq!(
            member(&mut ami, queue, "1001"),
            dynamic_member("1001", "0", "1", "Training")
        );
    }
    bridge.acme_ok("action=add&agent=1002&queue=6001&paused=1");
    assert_eq!(
        member(&mut ami, "acme-6001", "1002"),
        dynamic_member("1002", "0", "1", "")
    );
    // `queue_log` shows that the members were added as paused, not paused afterwards.
    let log = asterisk.queue_log();
    let added = log.lines().filter(|line| line.contains("ADDMEMBER"));
    assert!(added.clone().all(|line| line.ends_with("|PAUSED")), "{log}");
    assert_eq!(added.count(), 3, "{log}");
}

fn pause_applies_to_the_named_queue_or_to_all_of_the_agents_queues(version: u32) {
    let (asterisk, bridge) = start(version);
    let mut ami = asterisk.ami();
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002");
    bridge.acme_ok("action=add&agent=1002&queue=6002");

    let body = bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Lunch");
    assert_eq!(
        without_id(body),
        json!({"status": "success", "action": "pause", "agent": "1001", "reason": "Lunch",
            "queues": [{"queue": "6001", "result": "ok"}]})
    );
    assert_eq!(
        member(&mut ami, "acme-6001", "1001"),
        dynamic_member("1001", "0", "1", "Lunch")
    );
    assert_eq!(
        member(&mut ami, "acme-6002", "1001"),
        dynamic_member("1001", "0", "0", "")
    );

    // Without `queue`, the pause applies to all of the agent's queues. It does not affect
    // other agents.
    let body = bridge.acme_ok("action=pause&agent=1001");
    let both_queues = json!([{"queue": "6001", "result": "ok"}, {"queue": "6002", "result": "ok"}]);
    assert_eq!(body["queues"], both_queues);
    assert_eq!(body["reason"], Value::Null);
    assert_eq!(
        member(&mut ami, "acme-6002", "1001"),
        dynamic_member("1001", "0", "1", "")
    );
    assert_eq!(
        member(&mut ami, "acme-6002", "1002"),
        dynamic_member("1002", "0", "0", "")
    );
    let body = bridge.acme_ok("action=pause&agent=1002");
    assert_eq!(body["queues"], json!([{"queue": "6002", "result": "ok"}]));

    // Static members from queues.conf can be paused.
    bridge.acme_ok("action=pause&agent=1050&queue=6002&reason=Static");
    let state = bridge.acme_ok("action=showstate&agent=1050");
    assert_eq!(
        (&state["state"], &state["reason"]),
        (&json!("paused"), &json!("Static"))
    );
}

fn repeated_pause_replaces_the_reason(version: u32) {
    let (asterisk, bridge) = start(version);
    let mut ami = asterisk.ami();
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    for (reason, stored_reason) in [("Lunch", "Lunch"), ("Meeting", "Meeting"), ("", "")] {
        bridge.acme_ok(&format!(
            "action=pause&agent=1001&queue=6001&reason={reason}"
        ));
        assert_eq!(
            member(&mut ami, "acme-6001", "1001"),
            dynamic_member("1001", "0", "1", stored_reason)
        );
    }
    assert_eq!(asterisk.queue_log().matches("|PAUSE|").count(), 3);
}

fn unpause_ends_the_pause_and_logs_its_reason(version: u32) {
    let (asterisk, bridge) = start(version);
    let mut ami = asterisk.ami();
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&paused=yes&reason=Lunch");
    let body = bridge.acme_ok("action=unpause&agent=1001&queue=6001&reason=Back");
    assert_eq!(
        (&body["action"], &body["reason"]),
        (&json!("unpause"), &json!("Back"))
    );
    assert_eq!(
        member(&mut ami, "acme-6001", "1001"),
        dynamic_member("1001", "0", "0", "")
    );
    assert_eq!(
        member(&mut ami, "acme-6002", "1001"),
        dynamic_member("1001", "0", "1", "Lunch")
    );
    // Asterisk logs the reason for the unpause.
    let log = asterisk.queue_log();
    assert!(log.contains("|acme-6001|1001|UNPAUSE|Back"), "{log}");
    bridge.acme_ok("action=unpause&agent=1001");
    assert_eq!(
        member(&mut ami, "acme-6002", "1001"),
        dynamic_member("1001", "0", "0", "")
    );
}

fn remove_removes_the_agent_from_the_named_queue_only(version: u32) {
    let (asterisk, bridge) = start(version);
    let mut ami = asterisk.ami();
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002");
    let body = bridge.acme_ok("action=remove&agent=1001&queue=6001");
    assert_eq!(
        without_id(body),
        json!({"status": "success", "action": "remove", "agent": "1001",
            "queues": [{"queue": "6001", "result": "ok"}]})
    );
    assert_eq!(member(&mut ami, "acme-6001", "1001"), None);
    assert_eq!(
        member(&mut ami, "acme-6002", "1001"),
        dynamic_member("1001", "0", "0", "")
    );
}

fn change_in_several_queues_reports_a_result_per_queue(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let body = bridge.acme_ok("action=add&agent=1001&queue=6002,6001,9999,6002");
    assert_eq!(body["status"], "partial");
    let rows = body["queues"].as_array().expect("rows").clone();
    let results: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["queue"].as_str(),
                row["result"].as_str(),
                row["code"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        results,
        [
            (Some("6002"), Some("ok"), None),
            (Some("6001"), Some("error"), Some("already_member")),
            (Some("9999"), Some("error"), Some("unknown_queue")),
        ]
    );
    assert!(rows[1]["message"].is_string());
}

fn added_member_has_the_configured_state_interface(version: u32) {
    let asterisk = crate::support::Asterisk::start(version);
    let configuration = crate::support::configuration(asterisk.port).replace(
        r#"interface = "Local/{agent}@acme-agents""#,
        "interface = \"Local/{agent}@acme-agents\"\nstate_interface = \"Custom:agent{agent}\"",
    );
    let bridge = crate::support::Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let row = asterisk.ami().member("acme-6001", "Local/1001@acme-agents");
    assert_eq!(row.expect("a member")["StateInterface"], "Custom:agent1001");
}

fn alias_and_reason_may_contain_any_language(version: u32) {
    let (asterisk, bridge) = start(version);
    let mut ami = asterisk.ami();
    // The alias is דנה כהן. The reason has 79 bytes, the maximum that Asterisk stores.
    let alias = "%D7%93%D7%A0%D7%94+%D7%9B%D7%94%D7%9F";
    let reason = "é".repeat(39) + "x";
    bridge.acme_ok(&format!("action=add&agent=1001&queue=6001&alias={alias}"));
    bridge.acme_ok(&format!(
        "action=pause&agent=1001&queue=6001&reason={}",
        percent_encode(&reason)
    ));
    assert_eq!(
        member(&mut ami, "acme-6001", "1001"),
        dynamic_member("דנה כהן", "0", "1", &reason)
    );
    let state = bridge.acme_ok("action=showstate&agent=1001");
    assert_eq!(
        (&state["alias"], &state["reason"]),
        (&json!("דנה כהן"), &json!(reason))
    );
}

fn percent_encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn concurrent_clients_get_their_own_responses(version: u32) {
    let (asterisk, bridge) = start(version);
    let agents: Vec<u32> = (1001..1017).collect();
    let bridge = &bridge;
    std::thread::scope(|scope| {
        for agent in &agents {
            scope.spawn(move || {
                bridge.acme_ok(&format!("action=add&agent={agent}&queue=6001"));
                for round in 0..10 {
                    let reason = format!("r{agent}-{round}");
                    let query = format!("action=pause&agent={agent}&queue=6001&reason={reason}");
                    let body = bridge.acme_ok(&query);
                    assert_eq!(
                        (&body["agent"], &body["reason"]),
                        (&json!(agent.to_string()), &json!(reason))
                    );
                    let state = bridge.acme_ok(&format!("action=showstate&agent={agent}"));
                    assert_eq!(
                        (&state["agent"], &state["reason"]),
                        (&json!(agent.to_string()), &json!(reason))
                    );
                }
            });
        }
    });
    let log = asterisk.queue_log();
    assert_eq!(log.matches("|PAUSE|").count(), agents.len() * 10);
}
