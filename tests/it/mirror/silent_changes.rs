//! What Asterisk changes without an event shows under an open stream too, and an answer
//! does not contradict itself for long.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{each, with_resync};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, AmiMessage, Asterisk, Bridge, configuration, eventually, on_both_versions,
};

on_both_versions!(
    a_stream_sees_a_callers_priority_change,
    reads_and_streams_agree_after_a_reset_of_the_statistics,
);

fn start(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&with_resync(&configuration(asterisk.port), "1h"));
    (asterisk, bridge)
}

fn callers(asterisk: &Asterisk) -> Vec<AmiMessage> {
    let rows = asterisk.ami().queue_status("acme-6001").into_iter();
    rows.filter(|row| row["Event"] == "QueueEntry").collect()
}

/// The queue's callers in an event, as channel, position and priority.
fn places(data: &Value) -> Vec<(String, String, String)> {
    let callers = data["callers"].as_array().expect("callers").iter();
    let text = |value: &Value| value.to_string().trim_matches('"').to_owned();
    let place = |caller: &Value| {
        let [channel, position, priority] =
            ["channel", "position", "priority"].map(|field| text(&caller[field]));
        (channel, position, priority)
    };
    callers.map(place).collect()
}

fn a_stream_sees_a_callers_priority_change(version: u32) {
    let (asterisk, bridge) = start(version);
    for waiting in 1..=2 {
        asterisk.add_caller("acme-6001");
        eventually("the caller waits", || {
            (callers(&asterisk).len() == waiting).then_some(())
        });
    }
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    // The callers' joining is over when nothing comes for a while.
    while stream.event(Duration::from_secs(2)).is_some() {}
    let last = callers(&asterisk).pop().expect("a caller");
    for priority in [10, 20] {
        // `Immediate` is known to 22.10 and ignored by 16.28: there, the caller keeps the
        // place and gets the priority.
        let answer = asterisk.ami().reply_text(&format!(
            "QueueChangePriorityCaller\r\nQueue: acme-6001\r\nCaller: {}\r\n\
             Priority: {priority}\r\nImmediate: yes",
            last["Channel"]
        ));
        assert_eq!(answer, "Success: Priority change for caller on queue");
        let rows = callers(&asterisk);
        let truth: Vec<_> = rows
            .iter()
            .map(|row| ["Channel", "Position", "Priority"].map(|name| row[name].clone()))
            .map(|[channel, position, priority]| (channel, position, priority))
            .collect();
        assert!(truth.iter().any(|(_, _, p)| *p == priority.to_string()));
        // Nobody reads meanwhile, and nothing else happens.
        let changed = Instant::now();
        let limit = Duration::from_secs(3);
        loop {
            let left = limit.saturating_sub(changed.elapsed());
            let event = stream.event(left);
            let event = event.unwrap_or_else(|| panic!("not seen within {limit:?}"));
            if event.name == "queue" && places(&event.data) == truth {
                break;
            }
        }
    }
}

/// An agent has taken a call, and is free again.
fn complete_a_call(asterisk: &Asterisk, bridge: &Bridge) {
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    asterisk.add_caller("acme-6001");
    eventually("the call is answered", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        (state["queues"][0]["in_call"] == true).then_some(())
    });
    asterisk.cli("channel request hangup all");
    eventually("the call counts", || {
        let stat = bridge.acme_ok("action=showqueuestat&queue=6001");
        let state = bridge.acme_ok("action=showstate&agent=1001");
        let is_done = stat["queues"][0]["completed"] == 1
            && state["queues"][0]["calls_taken"] == 1
            && state["state"] == "available";
        is_done.then_some(())
    });
}

/// Waits until the bridge asks nothing more because of the call.
fn settle(bridge: &Bridge) {
    let mut asked = bridge.sent_count("QueueStatus");
    let mut since = Instant::now();
    eventually("the bridge asks nothing more", || {
        let now = bridge.sent_count("QueueStatus");
        if now != asked {
            (asked, since) = (now, Instant::now());
        }
        (since.elapsed() > Duration::from_secs(2)).then_some(())
    });
}

/// How long an answer may contradict itself after the first that shows the reset.
const BOUND: Duration = Duration::from_millis(1500);

/// Longer than the bound, so that what is not repaired is seen.
const WATCH: Duration = Duration::from_secs(4);

fn reset(asterisk: &Asterisk) {
    asterisk.cli("queue reset stats acme-6001");
    let rows = asterisk.ami().queue_status("acme-6001");
    // Asterisk itself does not contradict itself.
    let member = ["CallsTaken", "LastCall"].map(|name| &*rows[1][name]);
    assert_eq!((&*rows[0]["Completed"], member), ("0", ["0", "0"]));
}

fn reads_and_streams_agree_after_a_reset_of_the_statistics(version: u32) {
    each(&[reads_agree, stream_agrees], |agree| agree(version));
}

fn reads_agree(version: u32) {
    let (asterisk, bridge) = start(version);
    complete_a_call(&asterisk, &bridge);
    settle(&bridge);
    reset(&asterisk);
    let first = Instant::now();
    let mut contradictions = Vec::new();
    while first.elapsed() < WATCH {
        let asked = first.elapsed();
        let stat = bridge.acme_ok("action=showqueuestat&queue=6001")["queues"][0].clone();
        let queue = bridge.acme_ok("action=showqueue&queue=6001")["queues"][0].clone();
        let member = &queue["members"][0];
        let taken = &member["calls_taken"];
        if (stat["completed"] == 0) != (*taken == 0) || member["last_call_at"].is_string() {
            contradictions.push((asked, stat["completed"].clone(), taken.clone()));
        }
    }
    let late = contradictions.iter().filter(|(asked, ..)| *asked > BOUND);
    assert_eq!(late.count(), 0, "{:?}", contradictions.last());
}

fn stream_agrees(version: u32) {
    let (asterisk, bridge) = start(version);
    complete_a_call(&asterisk, &bridge);
    settle(&bridge);
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    let snapshot = stream.until("snapshot", WATCH).pop().expect("a snapshot");
    let mut taken = snapshot.data["queues"][0]["members"][0]["calls_taken"].clone();
    assert_eq!(taken, 1);
    reset(&asterisk);
    // An open stream is a reader: figures are asked for once a second.
    let begun = Instant::now();
    let mut completed = json!(1);
    let mut reset_at = None;
    while let Some(left) = WATCH.checked_sub(begun.elapsed()) {
        let Some(event) = stream.event(left) else {
            break;
        };
        match &*event.name {
            "queue" => completed = event.data["completed"].clone(),
            "member" => taken = event.data["member"]["calls_taken"].clone(),
            other => panic!("{other}: {}", event.data),
        }
        if completed == 0 {
            let since = *reset_at.get_or_insert_with(Instant::now);
            if taken == 0 {
                let took = since.elapsed();
                assert!(took < BOUND, "{took:?}");
                return;
            }
        }
    }
    panic!("completed is {completed}, calls_taken is {taken}");
}
