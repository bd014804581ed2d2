//! What is shown while Asterisk is away, and when it is back.

use serde_json::{Value, json};

use crate::mirror::expected::assert_equal;
use crate::mirror::{live_configuration, quiet, start_live};
use crate::support::{
    ACME, Asterisk, Bridge, configuration, eventually, on_both_versions, request,
};

on_both_versions!(
    without_a_link_nothing_is_shown,
    or_what_was_last_known_where_that_is_wanted,
    ready_is_loaded,
    without_app_queue_the_cure_is_told,
    the_first_refusal_tells_it_too,
    a_start_without_app_queue_tells_it_too,
);

const READS: [&str; 4] = [
    "action=showqueue",
    "action=showqueue&queue=6001",
    "action=showqueuestat",
    "action=showstate&agent=1001",
];

fn without_a_link_nothing_is_shown(version: u32) {
    let (mut asterisk, bridge) = start_live(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Kept");
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
    // That one of them is no queue of its own can't be mended, the rest can.
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
    // Of a member of none, as far as was known.
    "action=pause&agent=1002&reason=away",
];

fn or_what_was_last_known_where_that_is_wanted(version: u32) {
    let mut asterisk = Asterisk::start(version);
    let configuration = quiet(&live_configuration(asterisk.port));
    let bridge = Bridge::start(&configuration.replace("[http]", "[http]\nserve_stale = true"));
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Kept");
    let before = READS.map(|query| shown(&bridge, query));
    asterisk.kill();
    eventually("the link is down", || (!bridge.is_ready()).then_some(()));
    for (query, before) in READS.into_iter().zip(&before) {
        let answer = bridge.acme_ok(query);
        assert_eq!(answer["stale"], true, "{answer}");
        assert_eq!(shown(&bridge, query), *before, "{query}");
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

/// What a read shows, without what tells when and to whom.
fn shown(bridge: &Bridge, query: &str) -> Value {
    let mut answer = bridge.acme_ok(query);
    let fields = answer.as_object_mut().expect("an object");
    for name in ["request_id", "as_of", "stale"] {
        fields.remove(name);
    }
    answer
}

fn ready_is_loaded(version: u32) {
    let asterisk = Asterisk::start(version);
    for _ in 0..5 {
        let bridge = Bridge::start_unready(&quiet(&configuration(asterisk.port)));
        // The first read after the first "ready" has all there is.
        eventually("ready", || bridge.is_ready().then_some(()));
        let shown = bridge.acme_ok("action=showstate&agent=1050");
        assert_eq!(shown["queues"][0]["queue"], "6002", "{shown}");
        let shown = bridge.acme_ok("action=showqueue");
        assert_eq!(shown["queues"].as_array().map(Vec::len), Some(2), "{shown}");
    }
}

/// What the cure is called everywhere.
const LOAD: &str = "module load app_queue.so";

/// What `/readyz` says of the PBX.
fn readiness(bridge: &Bridge) -> Value {
    request(bridge.admin, "GET", "/readyz", &[], b"").json()["pbx"]["main"].clone()
}

/// The readiness of a bridge whose Asterisk has no queues, as soon as it is known.
fn without_queues(bridge: &Bridge) -> Value {
    eventually("it is told what is missing", || {
        let told = readiness(bridge);
        told["reason"].as_str()?.contains(LOAD).then_some(told)
    })
}

fn without_app_queue_the_cure_is_told(version: u32) {
    // Asterisk tells it, and nobody needs to be refused first.
    let (asterisk, bridge) = start_live(version);
    without_and_with_app_queue(&asterisk, &bridge, || {});
}

/// To a user without `read = system`, Asterisk does not tell it.
fn the_first_refusal_tells_it_too(version: u32) {
    let asterisk = Asterisk::start(version);
    let manager = asterisk.read_config("manager.conf");
    let deaf = manager.replace("read = agent,system", "read = agent");
    assert_ne!(deaf, manager);
    asterisk.write_config("manager.conf", &deaf);
    asterisk.cli("manager reload");
    let bridge = Bridge::start(&quiet(&configuration(asterisk.port)));
    without_and_with_app_queue(&asterisk, &bridge, || {
        let response = bridge.get_as(ACME, CHANGES[0]);
        assert_eq!(response.outcome(), "503 pbx_unavailable");
    });
}

fn without_and_with_app_queue(asterisk: &Asterisk, bridge: &Bridge, first: impl FnOnce()) {
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Kept");
    asterisk.cli("module unload app_queue.so");
    first();
    assert_eq!(without_queues(bridge)["state"], "loading");
    for query in CHANGES.into_iter().chain(READS) {
        let response = bridge.get_as(ACME, query);
        assert_eq!(response.outcome(), "503 pbx_unavailable", "{query}");
    }
    asterisk.cli(LOAD);
    bridge.wait_ready();
    let ready = readiness(bridge);
    assert_eq!(
        (&ready["state"], &ready["reason"]),
        (&json!("ready"), &json!(null))
    );
    assert_equal(asterisk, bridge);
    let log = bridge.log();
    assert_eq!(log.matches(LOAD).count(), 1, "{log}");
    let blamed = "a question about queues has no answer";
    assert!(!log.contains(blamed), "{log}");
    assert!(!asterisk.queue_log().contains("|away"));
}

fn a_start_without_app_queue_tells_it_too(version: u32) {
    let asterisk = Asterisk::start(version);
    asterisk.cli("module unload app_queue.so");
    let bridge = Bridge::start_unready(&quiet(&configuration(asterisk.port)));
    // That is not said of a boot that takes its time.
    assert_eq!(without_queues(&bridge)["state"], "booting");
    assert!(bridge.log().contains("Asterisk has no queues"));
    asterisk.cli(LOAD);
    bridge.wait_ready();
    let log = bridge.log();
    assert_eq!(log.matches(LOAD).count(), 1, "{log}");
}
