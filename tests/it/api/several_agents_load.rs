//! Changes of many agents in many queues: their limits, what becomes of changes that can't be sent
//! in time, and their audit log.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::{
    ACME, Asterisk, Bridge, configuration_with, eventually, on_every_pbx, organization, request,
    sample_config, start,
};

on_every_pbx!(
    large_list_is_not_refused_for_its_own_size,
    changes_that_were_not_sent_in_time_are_not_uncertain,
    each_agent_and_queue_has_an_audit_line,
    refused_list_has_an_audit_line_for_each_agent,
);

/// The number of changes of one request that are under way at the same time.
const MAX_CHANGES_UNDER_WAY: usize = 4;

const QUEUES: u32 = 20;

/// Starts a PBX with 20 queues, and a bridge with these settings of the link.
fn start_with_many_queues(version: u32, settings: &str) -> (Asterisk, Bridge) {
    let mut queues = sample_config("queues.conf");
    for number in 0..QUEUES {
        let _ = writeln!(
            queues,
            "[acme-{}](agents)\nstrategy = ringall",
            7000 + number
        );
    }
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    let acme = organization("acme", r#""7*""#, "acme-{queue}", ACME);
    let configuration = configuration_with(asterisk.port, &[acme]);
    let configuration = configuration.replace("action_timeout = \"3s\"", settings);
    let bridge = Bridge::start(&configuration);
    (asterisk, bridge)
}

fn numbers(range: std::ops::Range<u32>) -> String {
    let numbers: Vec<String> = range.map(|number| number.to_string()).collect();
    numbers.join(",")
}

/// Returns the audit lines with this action.
fn audit_lines(bridge: &Bridge, action: &str) -> Vec<Value> {
    let log = bridge.log();
    let lines = log.lines();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines = lines.filter(|line| line["target"] == "audit" && line["action"] == action);
    lines.collect()
}

fn large_list_is_not_refused_for_its_own_size(version: u32) {
    let (asterisk, bridge) =
        start_with_many_queues(version, "action_timeout = \"30s\"\nmax_pending = 1");
    let agents = numbers(1001..1021);
    let queues = numbers(7000..7000 + QUEUES);
    let body = bridge.acme_ok(&format!("action=add&agent={agents}&queue={queues}"));
    assert_eq!(body["status"], "success");
    let entries = body["agents"].as_array().expect("agents");
    assert_eq!(entries.len(), 20);
    for (entry, agent) in entries.iter().zip(1001..) {
        assert_eq!(entry["agent"], agent.to_string());
        assert_eq!(
            entry["queues"].as_array().map(Vec::len),
            Some(20),
            "{entry}"
        );
    }
    // Asterisk writes its log after it has answered.
    let wait_for_log = |event: &str| {
        eventually("Asterisk has logged the changes", || {
            (asterisk.queue_log().matches(event).count() == 400).then_some(())
        });
    };
    bridge.acme_ok(&format!("action=pause&agent={agents}"));
    wait_for_log("|PAUSE|");
    let body = bridge.acme_ok(&format!("action=remove&agent={agents}&queue=*"));
    assert_eq!(body["status"], "success");
    wait_for_log("|REMOVEMEMBER|");
    assert_eq!(audit_lines(&bridge, "remove").len(), 400);
}

fn changes_that_were_not_sent_in_time_are_not_uncertain(version: u32) {
    let (asterisk, bridge) = start_with_many_queues(version, "action_timeout = \"3s\"");
    let agents = numbers(1001..1004);
    let queues = numbers(7000..7000 + QUEUES);
    bridge.acme_ok(&format!("action=add&agent={agents}&queue={queues}"));
    asterisk.freeze();
    let response = bridge.get_as(
        ACME,
        &format!("action=pause&agent={agents}&queue={queues}&reason=late"),
    );
    // The first agent's rows include those that were sent.
    assert_eq!(response.outcome(), "504 outcome_unknown");
    let body = response.json();
    let entries = body["agents"].as_array().expect("agents").iter();
    let rows = entries.flat_map(|entry| entry["queues"].as_array().expect("rows"));
    let codes: Vec<_> = rows.filter_map(|row| row["code"].as_str()).collect();
    let count = |code: &str| codes.iter().filter(|one| **one == code).count();
    assert_eq!(count("outcome_unknown"), MAX_CHANGES_UNDER_WAY);
    assert_eq!(count("overloaded"), 60 - MAX_CHANGES_UNDER_WAY);
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let unknown = format!("ami_bridge_unknown_outcomes_total {MAX_CHANGES_UNDER_WAY}");
    assert!(metrics.lines().any(|line| line == unknown), "{metrics}");

    // Nothing is removed if Asterisk does not report the memberships.
    let removal = format!("action=remove&agent={agents}&queue=*");
    let refused = bridge.get_as(ACME, &removal);
    assert_eq!(refused.outcome(), "503 pbx_unavailable");
    assert!(refused.header("Retry-After").is_some());
    let refused = refused.json();
    assert_eq!(refused["agents"].as_array().map(Vec::len), Some(3));
    asterisk.resume();
    eventually("Asterisk answers again", || {
        (bridge.get_as(ACME, "action=showqueue&fresh=1").status == 200).then_some(())
    });
    let log = asterisk.queue_log();
    assert_eq!(log.matches("|PAUSE|late").count(), MAX_CHANGES_UNDER_WAY);
    assert_eq!(log.matches("|REMOVEMEMBER|").count(), 0);
}

fn each_agent_and_queue_has_an_audit_line(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002");
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Tea");
    let query = "action=pause&agent=1001,1002,1001,2001&reason=Lunch&keep_existing=1";
    let body = bridge.acme_ok(query);
    assert_eq!(body["status"], "partial");
    let log = bridge.log();
    let lines = log.lines();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines = lines.filter(|line| line["request_id"] == body["request_id"]);
    let (audit, other): (Vec<_>, Vec<_>) = lines.partition(|line| line["target"] == "audit");
    let fields = |line: &Value| {
        let fields = ["agent", "queue", "outcome", "kept"].map(|name| line[name].clone());
        fields.map(|value| value.to_string().replace('"', ""))
    };
    let fields: Vec<_> = audit.iter().map(fields).collect();
    assert_eq!(
        fields,
        [
            ["1001", "6001", "success", "true"],
            ["1001", "6002", "success", "null"],
            ["1002", "null", "not_a_member", "null"],
            ["2001", "null", "unknown_agent", "null"],
        ]
    );
    for line in &audit {
        assert_eq!(line["reason"], "Lunch", "{line}");
        assert_eq!(line["user"], "acme@example.com", "{line}");
    }
    let requests: Vec<_> = other
        .iter()
        .filter(|line| line["message"] == "request")
        .collect();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["agent"], "1001,1002,2001");
    assert_eq!(requests[0]["outcome"], "partial");
}

fn refused_list_has_an_audit_line_for_each_agent(version: u32) {
    let (mut asterisk, bridge) = start(version);
    asterisk.kill();
    eventually("the link is lost", || (!bridge.is_ready()).then_some(()));
    let response = bridge.get_as(ACME, "action=unpause&agent=1001,1002&queue=*");
    assert_eq!(response.outcome(), "503 pbx_unavailable");
    assert!(response.header("Retry-After").is_some());
    let lines = audit_lines(&bridge, "unpause");
    let agents: Vec<_> = lines.iter().map(|line| line["agent"].as_str()).collect();
    assert_eq!(agents, [Some("1001"), Some("1002")]);
    for line in &lines {
        assert_eq!(
            (&line["queue"], &line["outcome"]),
            (&"*".into(), &"pbx_unavailable".into())
        );
    }
}
