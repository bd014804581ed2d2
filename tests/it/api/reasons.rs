//! The response to showreasons, and the pause reasons of changes.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::stream::client::EventClient;
use crate::support::{
    ACME, Ami, Asterisk, Bridge, GLOBEX, Reason, configuration, eventually, on_every_pbx,
    with_acme_keys, with_reasons,
};

on_every_pbx!(
    listed_reason_reaches_asterisk_in_its_configured_spelling,
    refused_reason_or_duration_changes_nothing,
    pause_made_elsewhere_reaches_the_limit_of_its_reason,
    reload_applies_reasons_to_pauses_that_stand,
    showreasons_needs_no_link,
);

const REASONS: [Reason; 2] = [
    Reason {
        name: "Lunch",
        limit: Some("45m"),
        ends: true,
    },
    Reason {
        name: "Back office",
        limit: None,
        ends: false,
    },
];

/// Returns a configuration in which acme lists [`REASONS`]. `keys` belong to
/// `[organization.acme]`.
fn configuration_with_reasons(ami_port: u16, keys: &str) -> String {
    with_acme_keys(&with_reasons(&configuration(ami_port), &REASONS), keys)
}

fn start_with_reasons(version: u32, keys: &str) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&configuration_with_reasons(asterisk.port, keys));
    (asterisk, bridge)
}

fn paused_reason(ami: &mut Ami) -> Option<String> {
    let row = ami.member("acme-6001", "Local/1001@acme-agents")?;
    (row["Paused"] == "1").then(|| row["PausedReason"].clone())
}

fn listed_reason_reaches_asterisk_in_its_configured_spelling(version: u32) {
    let (asterisk, bridge) = start_with_reasons(version, "");
    let mut ami = asterisk.ami();
    let body = bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=BACK+OFFICE");
    assert_eq!(body["reason"], "Back office");
    assert_eq!(paused_reason(&mut ami).as_deref(), Some("Back office"));
    let body = bridge.acme_ok("action=pause&agent=1001&reason=other");
    assert_eq!(body["reason"], "other");
    assert_eq!(paused_reason(&mut ami).as_deref(), Some("other"));
    // The other organization lists no reasons.
    bridge.get_ok(GLOBEX, "action=add&agent=1001&queue=6001");
    let body = bridge.get_ok(GLOBEX, "action=pause&agent=1001&reason=BACK+OFFICE");
    assert_eq!(body["reason"], "BACK OFFICE");
}

fn refused_reason_or_duration_changes_nothing(version: u32) {
    let keys = "reason_required = true\nother_reasons = false";
    let (asterisk, bridge) = start_with_reasons(version, keys);
    let mut ami = asterisk.ami();
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    for (query, parameter, outcome) in [
        ("pause&agent=1001", "reason", "400 missing_parameter"),
        (
            "pause&agent=1001&reason=",
            "reason",
            "400 missing_parameter",
        ),
        (
            "pause&agent=1001&reason=Nap",
            "reason",
            "400 invalid_parameter",
        ),
        (
            "pause&agent=1001&reason=lunch&duration=2701",
            "duration",
            "400 invalid_parameter",
        ),
        // The action's parameters are checked before the agent and the queue.
        (
            "pause&agent=9999&queue=9999&reason=Nap",
            "reason",
            "400 invalid_parameter",
        ),
        (
            "add&agent=1002&queue=6001&paused=1",
            "reason",
            "400 missing_parameter",
        ),
    ] {
        let response = bridge.get_as(ACME, &format!("action={query}"));
        assert_eq!(response.outcome(), outcome, "{query}");
        let body = response.json();
        assert_eq!(body["parameter"], parameter, "{query}: {body}");
        let message = body["message"].as_str().unwrap_or_default();
        let lists_reasons = message.contains("Lunch, Back office");
        assert_eq!(lists_reasons, parameter == "reason", "{query}: {body}");
    }
    assert_eq!(paused_reason(&mut ami), None);
    assert_eq!(ami.member("acme-6001", "Local/1002@acme-agents"), None);
    let unpaused = bridge.acme_ok("action=unpause&agent=1001&reason=Nap");
    assert_eq!(unpaused["reason"], "Nap");
}

fn pause_made_elsewhere_reaches_the_limit_of_its_reason(version: u32) {
    let asterisk = Asterisk::start(version);
    let short = "\n[[organization.acme.reason]]\nname = \"Short break\"\nlimit = \"2s\"\n";
    let bridge = Bridge::start(&(configuration_with_reasons(asterisk.port, "") + short));
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002");
    let state = || bridge.acme_ok("action=showstate&agent=1001");
    assert_eq!(state()["paused_at"], Value::Null);
    assert_eq!(state()["pause_overdue"], false);
    let reply = asterisk.ami().reply_text(
        "QueuePause\r\nQueue: acme-6001\r\nInterface: Local/1001@acme-agents\r\n\
         Paused: true\r\nReason: SHORT BREAK",
    );
    assert!(reply.starts_with("Success"), "{reply}");
    let paused = eventually("the pause is visible", || {
        Some(state()).filter(|state| state["reason"] == "SHORT BREAK")
    });
    let member = &paused["queues"][0];
    assert_eq!(member["state_since"], member["paused_at"]);
    assert_eq!(paused["paused_at"], member["paused_at"]);
    let time = |value: &Value| {
        let text = value.as_str().expect("a time");
        text.parse::<Timestamp>().expect("a time").as_second()
    };
    assert_eq!(
        time(&member["pause_limit_at"]) - time(&member["paused_at"]),
        2
    );
    for name in ["pause_ends_at", "wrap_up_ends_at"] {
        assert_eq!(member[name], Value::Null, "{name}");
    }
    assert_eq!(member["auto_paused"], false);
    let overdue = eventually("the pause is overdue", || {
        Some(state()).filter(|state| state["pause_overdue"] == true)
    });
    assert_eq!(overdue["queues"][0]["pause_overdue"], true);
    assert_eq!(overdue["queues"][1]["pause_overdue"], false);
    let listed = &bridge.acme_ok("action=showqueue&queue=6001")["queues"][0]["members"];
    let listed = listed.as_array().expect("members").iter();
    let mut agents = listed.filter(|member| member["agent"] == "1001");
    assert_eq!(agents.next().expect("agent 1001")["pause_overdue"], true);
    let statistics = bridge.acme_ok("action=showqueuestat");
    let counts = [0, 1].map(|queue| statistics["queues"][queue]["agents"]["overdue"].clone());
    assert_eq!(counts, [1, 0]);

    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Auto-Pause");
    let member = &state()["queues"][0];
    assert_eq!(member["auto_paused"], true);
    assert_eq!(member["pause_overdue"], false);
    assert_eq!(member["pause_limit_at"], Value::Null);
}

fn reload_applies_reasons_to_pauses_that_stand(version: u32) {
    let (asterisk, bridge) = start_with_reasons(version, "");
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Meeting");
    let limit = || {
        let queue = &bridge.acme_ok("action=showqueue&queue=6001")["queues"][0];
        let members = queue["members"].as_array().expect("members").iter();
        let mut agents = members.filter(|member| member["agent"] == "1001");
        agents.next().expect("agent 1001")["pause_limit_at"].clone()
    };
    assert_eq!(limit(), Value::Null);
    let mut stream = EventClient::open(bridge.address, ACME, "");
    let meeting = "\n[[organization.acme.reason]]\nname = \"Meeting\"\nlimit = \"1h\"\n";
    let reloaded = configuration_with_reasons(asterisk.port, "") + meeting;
    assert_eq!(
        bridge.reconfigure(&reloaded)["message"],
        "configuration reloaded"
    );
    assert!(limit().is_string());
    let reasons = bridge.acme_ok("action=showreasons")["reasons"].clone();
    assert_eq!(reasons[2]["reason"], "Meeting");
    // The events of the old stream would still show the old reasons.
    stream.until("shutdown", Duration::from_secs(10));
}

fn showreasons_needs_no_link(version: u32) {
    let (mut asterisk, bridge) = start_with_reasons(version, "reason_required = true");
    let expected = json!([
        {"reason": "Lunch", "limit_seconds": 2700, "ends": true},
        {"reason": "Back office", "limit_seconds": null, "ends": false},
    ]);
    let assert_listed = || {
        let body = bridge.acme_ok("action=showreasons");
        assert_eq!(body["status"], "success");
        assert_eq!(body["action"], "showreasons");
        assert!(body["request_id"].is_string());
        assert_eq!(body["reason_required"], true);
        assert_eq!(body["other_reasons"], true);
        assert_eq!(body["reasons"], expected);
        assert_eq!(body.as_object().map(|body| body.len()), Some(6));
    };
    assert_listed();
    asterisk.kill();
    eventually("the link is down", || (!bridge.is_ready()).then_some(()));
    assert_listed();
    let body = bridge.get_ok(GLOBEX, "action=SHOWREASONS");
    assert_eq!(body["reasons"], json!([]));
    assert_eq!(body["reason_required"], Value::Bool(false));
    for parameter in ["agent", "queue"] {
        let response = bridge.get_as(ACME, &format!("action=showreasons&{parameter}=1001"));
        assert_eq!(response.outcome(), "400 invalid_parameter");
        assert_eq!(response.json()["parameter"], parameter);
    }
    let restricted = configuration_with_reasons(asterisk.port, "").replace(
        "username = \"acme@example.com\"",
        "username = \"acme@example.com\"\nactions = [\"pause\"]",
    );
    assert_eq!(
        bridge.reconfigure(&restricted)["message"],
        "configuration reloaded"
    );
    let refused = bridge.get_as(ACME, "action=showreasons");
    assert_eq!(refused.outcome(), "403 forbidden");
}
