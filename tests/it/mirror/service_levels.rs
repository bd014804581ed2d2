//! Which of Asterisk's two service levels is which, by calls that are answered or given
//! up, in time or late.

use serde_json::Value;

use super::{add, interface};
use crate::support::{
    Asterisk, Bridge, configuration, eventually, on_both_versions, sample_config,
};

on_both_versions!(calls_answered_and_given_up_in_time_and_late);

/// The queue's service level in seconds. The sample's agents answer after one.
const IN_TIME: u64 = 3;

const QUEUE: &str = "acme-6001";

fn start(version: u32) -> (Asterisk, Bridge) {
    let level = format!("servicelevel = {IN_TIME}\n");
    let queues = sample_config("queues.conf").replace("servicelevel = 60\n", &level);
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    let bridge = Bridge::start(&configuration(asterisk.port));
    (asterisk, bridge)
}

/// The queue's statistics, when this many calls have ended.
fn after(bridge: &Bridge, completed: u64, abandoned: u64) -> Value {
    eventually("the calls have ended", || {
        let stat = bridge.acme_ok("action=showqueuestat&queue=6001")["queues"][0].clone();
        (stat["completed"] == completed && stat["abandoned"] == abandoned).then_some(stat)
    })
}

/// A caller joins, and has waited for at least that many seconds.
fn wait_in_queue(asterisk: &Asterisk, seconds: u64) {
    asterisk.add_caller(QUEUE);
    let mut ami = asterisk.ami();
    eventually("the caller has waited", || {
        let rows = ami.queue_status(QUEUE).into_iter();
        let mut waits = rows.filter_map(|row| row.get("Wait")?.parse::<u64>().ok());
        waits.any(|wait| wait >= seconds).then_some(())
    });
}

/// The agent takes the call, talks, and leaves the queue.
fn answer(asterisk: &Asterisk, bridge: &Bridge) {
    add(asterisk, QUEUE, 1001);
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

fn answered_in_time(asterisk: &Asterisk, bridge: &Bridge) {
    wait_in_queue(asterisk, 0);
    answer(asterisk, bridge);
}

fn answered_late(asterisk: &Asterisk, bridge: &Bridge) {
    wait_in_queue(asterisk, IN_TIME + 1);
    answer(asterisk, bridge);
}

fn given_up_early(asterisk: &Asterisk) {
    wait_in_queue(asterisk, 0);
    hang_up(asterisk);
}

fn given_up_late(asterisk: &Asterisk) {
    wait_in_queue(asterisk, IN_TIME + 1);
    hang_up(asterisk);
}

/// Asserts the percentages of all calls and of the answered ones, which must also be
/// what Asterisk calls `ServicelevelPerf2` and `ServicelevelPerf`.
fn assert_levels(asterisk: &Asterisk, stat: &Value, of_all: f64, of_answered: f64) {
    let params = asterisk.ami().queue_status(QUEUE).swap_remove(0);
    let listed = ["ServicelevelPerf2", "ServicelevelPerf"]
        .map(|header| params[header].parse::<f64>().expect("a percentage"));
    assert_eq!(listed, [of_all, of_answered], "Asterisk: {params:?}");
    let shown = ["service_level_percent", "service_level_answered_percent"]
        .map(|field| stat[field].as_f64().expect("a percentage"));
    assert_eq!(shown, listed, "{stat}");
    assert_eq!(stat["service_level_seconds"], IN_TIME);
}

fn calls_answered_and_given_up_in_time_and_late(version: u32) {
    let (asterisk, bridge) = start(version);
    answered_in_time(&asterisk, &bridge);
    assert_levels(&asterisk, &after(&bridge, 1, 0), 100.0, 100.0);
    given_up_late(&asterisk);
    assert_levels(&asterisk, &after(&bridge, 1, 1), 50.0, 100.0);
    // Served: the caller hung up within the time.
    given_up_early(&asterisk);
    assert_levels(&asterisk, &after(&bridge, 1, 2), 66.7, 100.0);
    answered_late(&asterisk, &bridge);
    assert_levels(&asterisk, &after(&bridge, 2, 2), 50.0, 50.0);
}
