//! The bridge's responses while Asterisk is unreachable or app_queue is not loaded, and after
//! the recovery.

use serde_json::{Value, json};

use crate::mirror::expected::assert_equal;
use crate::mirror::{live_configuration, log_at_info, start_live};
use crate::support::{
    ACME, API_PATH, Asterisk, Bridge, Response, User, configuration, eventually, on_both_versions,
    request,
};

on_both_versions!(
    reads_and_changes_are_refused_without_a_link,
    serve_stale_answers_reads_with_the_last_state_without_a_link,
    first_read_after_readyz_is_ready_is_complete,
    unloaded_app_queue_is_reported_with_the_load_command,
    first_refused_change_detects_an_unloaded_app_queue,
    app_queue_missing_at_startup_is_reported_with_the_load_command,
);

const READS: [&str; 4] = [
    "action=showqueue",
    "action=showqueue&queue=6001",
    "action=showqueuestat",
    "action=showstate&agent=1001",
];

fn reads_and_changes_are_refused_without_a_link(version: u32) {
    let (mut asterisk, bridge) = start_live(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Lunch");
    asterisk.kill();
    eventually("the link is down", || (!bridge.is_ready()).then_some(()));
    for query in READS.into_iter().chain(CHANGES) {
        let response = bridge.get_as(ACME, query);
        assert_eq!(response.outcome(), "503 pbx_unavailable", "{query}");
        assert!(response.header("Retry-After").is_some(), "{response:?}");
    }
    let response = bridge.get_as(ACME, "action=pause&agent=1001&queue=6001,6002");
    assert_eq!(response.outcome(), "503 pbx_unavailable");
    let rows = response.json()["queues"].clone();
    let rows = rows.as_array().expect("rows").iter();
    let rows: Vec<_> = rows.map(|row| json!([row["queue"], row["code"]])).collect();
    let expected = ["6001", "6002"].map(|queue| json!([queue, "pbx_unavailable"]));
    assert_eq!(rows, expected);
    // A retry can succeed for queue 6001, but not for queue 9999, which does not exist.
    let response = bridge.get_as(ACME, "action=pause&agent=1001&queue=9999,6001");
    assert_eq!(response.outcome(), "503 pbx_unavailable");
    assert!(response.header("Retry-After").is_some(), "{response:?}");
    asterisk.restart();
    bridge.wait_ready();
    assert_equal(&asterisk, &bridge);
}

const CHANGES: [&str; 4] = [
    "action=pause&agent=1001&queue=6001&reason=away",
    "action=pause&agent=1001&reason=away",
    "action=remove&agent=1001&queue=6001",
    // This agent was in no queue before the outage.
    "action=pause&agent=1002&reason=away",
];

fn serve_stale_answers_reads_with_the_last_state_without_a_link(version: u32) {
    let mut asterisk = Asterisk::start(version);
    let configuration = log_at_info(&live_configuration(asterisk.port));
    let bridge = Bridge::start(&configuration.replace("[http]", "[http]\nserve_stale = true"));
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Lunch");
    let before = READS.map(|query| comparable_response(&bridge, query));
    let tags = READS.map(|query| {
        let response = get_with_tag(&bridge, query, "");
        response.header("ETag").expect("an ETag").to_owned()
    });
    asterisk.kill();
    eventually("the link is down", || (!bridge.is_ready()).then_some(()));
    for (query, before) in READS.into_iter().zip(&before) {
        let body = bridge.acme_ok(query);
        assert_eq!(body["stale"], true, "{body}");
        assert_eq!(comparable_response(&bridge, query), *before, "{query}");
    }
    // The client learns that the state is stale, and then that it is still the same.
    for (query, tag) in READS.into_iter().zip(&tags) {
        let stale = get_with_tag(&bridge, query, tag);
        assert_eq!(
            (stale.status, &stale.json()["stale"]),
            (200, &Value::Bool(true))
        );
        let tag = stale.header("ETag").expect("an ETag");
        assert_eq!(get_with_tag(&bridge, query, tag).status, 304, "{query}");
    }
    for query in CHANGES.into_iter().chain(["action=showqueue&fresh=1"]) {
        let response = bridge.get_as(ACME, query);
        assert_eq!(response.outcome(), "503 pbx_unavailable", "{query}");
    }
    asterisk.restart();
    bridge.wait_ready();
    for query in READS {
        assert_eq!(bridge.acme_ok(query)["stale"], false, "{query}");
    }
    assert_equal(&asterisk, &bridge);
    assert!(!asterisk.queue_log().contains("|away"));
}

fn get_with_tag(bridge: &Bridge, query: &str, tag: &str) -> Response {
    let User { username, password } = ACME;
    let target = format!("{API_PATH}?username={username}&password={password}&{query}");
    let headers = [("If-None-Match", tag)];
    request(bridge.address, "GET", &target, &headers, b"")
}

/// Returns the response body without the fields that differ between identical reads.
fn comparable_response(bridge: &Bridge, query: &str) -> Value {
    let mut body = bridge.acme_ok(query);
    let fields = body.as_object_mut().expect("an object");
    for name in ["request_id", "as_of", "stale"] {
        fields.remove(name);
    }
    body
}

fn first_read_after_readyz_is_ready_is_complete(version: u32) {
    let asterisk = Asterisk::start(version);
    for _ in 0..5 {
        let bridge = Bridge::start_unready(&log_at_info(&configuration(asterisk.port)));
        // The first read after `/readyz` reports "ready" must be complete.
        eventually("/readyz reports \"ready\"", || {
            bridge.is_ready().then_some(())
        });
        let body = bridge.acme_ok("action=showstate&agent=1050");
        assert_eq!(body["queues"][0]["queue"], "6002", "{body}");
        let body = bridge.acme_ok("action=showqueue");
        assert_eq!(body["queues"].as_array().map(Vec::len), Some(2), "{body}");
    }
}

/// The command that the bridge suggests in all messages about the missing module.
const LOAD_COMMAND: &str = "module load app_queue.so";

/// Returns the PBX's entry in `/readyz`.
fn readiness(bridge: &Bridge) -> Value {
    request(bridge.admin, "GET", "/readyz", &[], b"").json()["pbx"]["main"].clone()
}

/// Waits until `/readyz` suggests [`LOAD_COMMAND`]. Returns the PBX's entry.
fn wait_for_missing_app_queue(bridge: &Bridge) -> Value {
    eventually("/readyz suggests the command", || {
        let entry = readiness(bridge);
        entry["reason"]
            .as_str()?
            .contains(LOAD_COMMAND)
            .then_some(entry)
    })
}

fn unloaded_app_queue_is_reported_with_the_load_command(version: u32) {
    // Asterisk sends an event when the module is unloaded, so the bridge needs no failed request
    // to detect it.
    let (asterisk, bridge) = start_live(version);
    assert_reports_missing_app_queue(&asterisk, &bridge, || {});
}

/// Without `read = system`, Asterisk does not tell the bridge that app_queue was unloaded.
fn first_refused_change_detects_an_unloaded_app_queue(version: u32) {
    let asterisk = Asterisk::start(version);
    let manager = asterisk.read_config("manager.conf");
    let without_system = manager.replace("read = agent,system", "read = agent");
    assert_ne!(without_system, manager);
    asterisk.write_config("manager.conf", &without_system);
    asterisk.cli("manager reload");
    let bridge = Bridge::start(&log_at_info(&configuration(asterisk.port)));
    assert_reports_missing_app_queue(&asterisk, &bridge, || {
        let response = bridge.get_as(ACME, CHANGES[0]);
        assert_eq!(response.outcome(), "503 pbx_unavailable");
    });
}

fn assert_reports_missing_app_queue(
    asterisk: &Asterisk,
    bridge: &Bridge,
    trigger_detection: impl FnOnce(),
) {
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Lunch");
    asterisk.cli("module unload app_queue.so");
    trigger_detection();
    assert_eq!(wait_for_missing_app_queue(bridge)["state"], "loading");
    for query in CHANGES.into_iter().chain(READS) {
        let response = bridge.get_as(ACME, query);
        assert_eq!(response.outcome(), "503 pbx_unavailable", "{query}");
    }
    asterisk.cli(LOAD_COMMAND);
    bridge.wait_ready();
    let ready = readiness(bridge);
    assert_eq!(
        (&ready["state"], &ready["reason"]),
        (&json!("ready"), &json!(null))
    );
    assert_equal(asterisk, bridge);
    let log = bridge.log();
    assert_eq!(log.matches(LOAD_COMMAND).count(), 1, "{log}");
    // This warning would distract from the cause.
    assert!(!log.contains("QueueStatus failed"), "{log}");
    assert!(!asterisk.queue_log().contains("|away"));
}

fn app_queue_missing_at_startup_is_reported_with_the_load_command(version: u32) {
    let asterisk = Asterisk::start(version);
    asterisk.cli("module unload app_queue.so");
    let bridge = Bridge::start_unready(&log_at_info(&configuration(asterisk.port)));
    // The bridge can't distinguish a missing app_queue from an Asterisk that is still booting.
    assert_eq!(wait_for_missing_app_queue(&bridge)["state"], "booting");
    assert!(
        bridge
            .log()
            .contains("Asterisk does not know the queue actions")
    );
    asterisk.cli(LOAD_COMMAND);
    bridge.wait_ready();
    let log = bridge.log();
    assert_eq!(log.matches(LOAD_COMMAND).count(), 1, "{log}");
}
