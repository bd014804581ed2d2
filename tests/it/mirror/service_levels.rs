//! The two service level percentages, after calls that were answered or abandoned within the
//! service level time or later.

use serde_json::Value;

use super::{add_elsewhere, interface};
use crate::support::{
    Asterisk, Bridge, configuration, eventually, on_both_versions, sample_config,
};

on_both_versions!(service_levels_count_answered_and_abandoned_calls);

/// The queue's service level in seconds. Agents in the sample configuration answer after one
/// second.
const SERVICE_LEVEL: u64 = 3;

const QUEUE: &str = "acme-6001";

fn start(version: u32) -> (Asterisk, Bridge) {
    let setting = format!("servicelevel = {SERVICE_LEVEL}\n");
    let queues = sample_config("queues.conf").replace("servicelevel = 60\n", &setting);
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    let bridge = Bridge::start(&configuration(asterisk.port));
    (asterisk, bridge)
}

/// Waits until the statistics have these counts of ended calls. Returns the queue's statistics.
fn statistics_after(bridge: &Bridge, completed: u64, abandoned: u64) -> Value {
    eventually("the calls have ended", || {
        let statistics = bridge.acme_ok("action=showqueuestat&queue=6001")["queues"][0].clone();
        (statistics["completed"] == completed && statistics["abandoned"] == abandoned)
            .then_some(statistics)
    })
}

/// Adds a caller, and returns after the caller has waited for at least `seconds`.
fn add_waiting_caller(asterisk: &Asterisk, seconds: u64) {
    asterisk.add_caller(QUEUE);
    let mut ami = asterisk.ami();
    eventually("the caller has waited", || {
        let rows = ami.queue_status(QUEUE).into_iter();
        let mut waits = rows.filter_map(|row| row.get("Wait")?.parse::<u64>().ok());
        waits.any(|wait| wait >= seconds).then_some(())
    });
}

/// Adds an agent who answers the waiting call, ends the call, and removes the agent.
fn answer_call(asterisk: &Asterisk, bridge: &Bridge) {
    add_elsewhere(asterisk, QUEUE, 1001);
    eventually("the call is answered", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        (state["queues"][0]["in_call"] == true).then_some(())
    });
    hang_up(asterisk);
    eventually("the agent is free", || {
        let state = bridge.acme_ok("action=showstate&agent=1001&fresh=1");
        (state["state"] == "available").then_some(())
    });
    let removed = asterisk.ami().reply_text(&format!(
        "QueueRemove\r\nQueue: {QUEUE}\r\nInterface: {}",
        interface(1001)
    ));
    assert_eq!(removed, "Success: Removed interface from queue");
}

fn hang_up(asterisk: &Asterisk) {
    asterisk.cli("channel request hangup all");
}

fn answer_in_time(asterisk: &Asterisk, bridge: &Bridge) {
    add_waiting_caller(asterisk, 0);
    answer_call(asterisk, bridge);
}

fn answer_late(asterisk: &Asterisk, bridge: &Bridge) {
    add_waiting_caller(asterisk, SERVICE_LEVEL + 1);
    answer_call(asterisk, bridge);
}

fn abandon_in_time(asterisk: &Asterisk) {
    add_waiting_caller(asterisk, 0);
    hang_up(asterisk);
}

fn abandon_late(asterisk: &Asterisk) {
    add_waiting_caller(asterisk, SERVICE_LEVEL + 1);
    hang_up(asterisk);
}

/// Asserts the service levels relative to all calls and relative to answered calls. Checks
/// Asterisk's `ServicelevelPerf2` and `ServicelevelPerf`, and the same values in the bridge's
/// response.
fn assert_levels(asterisk: &Asterisk, statistics: &Value, of_all: f64, of_answered: f64) {
    let params = asterisk.ami().queue_status(QUEUE).swap_remove(0);
    let listed = ["ServicelevelPerf2", "ServicelevelPerf"]
        .map(|header| params[header].parse::<f64>().expect("a percentage"));
    assert_eq!(listed, [of_all, of_answered], "Asterisk: {params:?}");
    let shown = ["service_level_percent", "service_level_answered_percent"]
        .map(|field| statistics[field].as_f64().expect("a percentage"));
    assert_eq!(shown, listed, "{statistics}");
    assert_eq!(statistics["service_level_seconds"], SERVICE_LEVEL);
}

fn service_levels_count_answered_and_abandoned_calls(version: u32) {
    let (asterisk, bridge) = start(version);
    answer_in_time(&asterisk, &bridge);
    assert_levels(&asterisk, &statistics_after(&bridge, 1, 0), 100.0, 100.0);
    abandon_late(&asterisk);
    assert_levels(&asterisk, &statistics_after(&bridge, 1, 1), 50.0, 100.0);
    // A caller who hangs up within the service level time counts as served in time.
    abandon_in_time(&asterisk);
    assert_levels(&asterisk, &statistics_after(&bridge, 1, 2), 66.7, 100.0);
    answer_late(&asterisk, &bridge);
    assert_levels(&asterisk, &statistics_after(&bridge, 2, 2), 50.0, 50.0);
}
