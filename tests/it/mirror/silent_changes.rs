//! Streams include changes for which Asterisk sends no event. After such a change, the fields of a
//! response contradict each other only briefly.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{run_in_parallel, with_resync};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, AmiMessage, Asterisk, Bridge, configuration, eventually, on_both_versions,
};

on_both_versions!(
    stream_shows_a_callers_priority_change,
    responses_become_consistent_soon_after_a_statistics_reset,
);

fn start(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&with_resync(&configuration(asterisk.port), "1h"));
    (asterisk, bridge)
}

/// Returns the `QueueEntry` rows in acme-6001.
fn callers(asterisk: &Asterisk) -> Vec<AmiMessage> {
    let rows = asterisk.ami().queue_status("acme-6001").into_iter();
    rows.filter(|row| row["Event"] == "QueueEntry").collect()
}

/// Returns the channel, position and priority of each caller in an event.
fn positions(data: &Value) -> Vec<(String, String, String)> {
    let callers = data["callers"].as_array().expect("callers").iter();
    let text = |value: &Value| value.to_string().trim_matches('"').to_owned();
    let position = |caller: &Value| {
        let [channel, position, priority] =
            ["channel", "position", "priority"].map(|field| text(&caller[field]));
        (channel, position, priority)
    };
    callers.map(position).collect()
}

fn stream_shows_a_callers_priority_change(version: u32) {
    let (asterisk, bridge) = start(version);
    for count in 1..=2 {
        asterisk.add_caller("acme-6001");
        eventually("the caller waits", || {
            (callers(&asterisk).len() == count).then_some(())
        });
    }
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    // After two seconds without an event, all events about the joining callers have arrived.
    while stream.event(Duration::from_secs(2)).is_some() {}
    let last = callers(&asterisk).pop().expect("a caller");
    for priority in [10, 20] {
        // Asterisk 22.10 supports `Immediate`. Asterisk 16.28 ignores it: the caller's priority
        // changes, but not the position.
        let reply = asterisk.ami().reply_text(&format!(
            "QueueChangePriorityCaller\r\nQueue: acme-6001\r\nCaller: {}\r\n\
             Priority: {priority}\r\nImmediate: yes",
            last["Channel"]
        ));
        assert_eq!(reply, "Success: Priority change for caller on queue");
        let rows = callers(&asterisk);
        let truth: Vec<_> = rows
            .iter()
            .map(|row| ["Channel", "Position", "Priority"].map(|name| row[name].clone()))
            .map(|[channel, position, priority]| (channel, position, priority))
            .collect();
        assert!(truth.iter().any(|caller| caller.2 == priority.to_string()));
        // The stream is the only reader, and nothing else changes while it waits.
        let changed = Instant::now();
        let limit = Duration::from_secs(15);
        loop {
            let left = limit.saturating_sub(changed.elapsed());
            let event = stream.event(left);
            let event = event.unwrap_or_else(|| panic!("no event within {limit:?}"));
            if event.name == "queue" && positions(&event.data) == truth {
                break;
            }
        }
    }
}

/// Adds an agent who answers a call, ends the call, and waits until the agent is available
/// again.
fn complete_call(asterisk: &Asterisk, bridge: &Bridge) {
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    asterisk.add_caller("acme-6001");
    eventually("the call is answered", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        (state["queues"][0]["in_call"] == true).then_some(())
    });
    asterisk.cli("channel request hangup all");
    eventually("the call is counted", || {
        let statistics = bridge.acme_ok("action=showqueuestat&queue=6001");
        let state = bridge.acme_ok("action=showstate&agent=1001");
        let is_counted = statistics["queues"][0]["completed"] == 1
            && state["queues"][0]["calls_taken"] == 1
            && state["state"] == "available";
        is_counted.then_some(())
    });
}

/// Waits until the bridge has sent no query for two seconds.
fn wait_until_idle(bridge: &Bridge) {
    let mut query_count = bridge.sent_count("QueueStatus");
    let mut last_query = Instant::now();
    eventually("the bridge sends no more queries", || {
        let new_count = bridge.sent_count("QueueStatus");
        if new_count != query_count {
            (query_count, last_query) = (new_count, Instant::now());
        }
        (last_query.elapsed() > Duration::from_secs(2)).then_some(())
    });
}

/// How long responses may contradict each other after the first response that shows the reset.
const MAX_CONTRADICTION_TIME: Duration = Duration::from_secs(4);

/// How long the tests watch for contradictions. Must exceed [`MAX_CONTRADICTION_TIME`].
const WATCH_DURATION: Duration = Duration::from_secs(6);

/// Resets the statistics of acme-6001 in Asterisk.
fn reset_statistics(asterisk: &Asterisk) {
    asterisk.cli("queue reset stats acme-6001");
    let rows = asterisk.ami().queue_status("acme-6001");
    // Asterisk's list is consistent immediately.
    let member = ["CallsTaken", "LastCall"].map(|name| &*rows[1][name]);
    assert_eq!((&*rows[0]["Completed"], member), ("0", ["0", "0"]));
}

fn responses_become_consistent_soon_after_a_statistics_reset(version: u32) {
    run_in_parallel(
        &[assert_reads_are_consistent, assert_stream_is_consistent],
        |test| test(version),
    );
}

fn assert_reads_are_consistent(version: u32) {
    let (asterisk, bridge) = start(version);
    complete_call(&asterisk, &bridge);
    wait_until_idle(&bridge);
    reset_statistics(&asterisk);
    let begun = Instant::now();
    let mut contradictions = Vec::new();
    while begun.elapsed() < WATCH_DURATION {
        let at = begun.elapsed();
        let statistics = bridge.acme_ok("action=showqueuestat&queue=6001")["queues"][0].clone();
        let queue = bridge.acme_ok("action=showqueue&queue=6001")["queues"][0].clone();
        let member = &queue["members"][0];
        let taken = &member["calls_taken"];
        if (statistics["completed"] == 0) != (*taken == 0) || member["last_call_at"].is_string() {
            contradictions.push((at, statistics["completed"].clone(), taken.clone()));
        }
    }
    let late = contradictions
        .iter()
        .filter(|(at, ..)| *at > MAX_CONTRADICTION_TIME);
    assert_eq!(late.count(), 0, "{:?}", contradictions.last());
}

fn assert_stream_is_consistent(version: u32) {
    let (asterisk, bridge) = start(version);
    complete_call(&asterisk, &bridge);
    wait_until_idle(&bridge);
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    let snapshot = stream
        .until("snapshot", WATCH_DURATION)
        .pop()
        .expect("a snapshot");
    let mut taken = snapshot.data["queues"][0]["members"][0]["calls_taken"].clone();
    assert_eq!(taken, 1);
    reset_statistics(&asterisk);
    // Because of the open stream, the bridge queries statistics once a second.
    let begun = Instant::now();
    let mut completed = json!(1);
    let mut reset_at = None;
    while let Some(left) = WATCH_DURATION.checked_sub(begun.elapsed()) {
        let Some(event) = stream.event(left) else {
            break;
        };
        match &*event.name {
            "queue" => completed = event.data["completed"].clone(),
            "member" => taken = event.data["member"]["calls_taken"].clone(),
            other => panic!("unexpected event {other}: {}", event.data),
        }
        if completed == 0 {
            let since = *reset_at.get_or_insert_with(Instant::now);
            if taken == 0 {
                let took = since.elapsed();
                assert!(took < MAX_CONTRADICTION_TIME, "{took:?}");
                return;
            }
        }
    }
    panic!("completed is {completed}, calls_taken is {taken}");
}
