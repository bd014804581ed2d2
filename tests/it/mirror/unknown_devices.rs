//! The bridge never reports a device state that Asterisk has not reported.
//!
//! Asterisk 16.28 and 22.10 both know the device state when they add a member: the event and
//! the next list contain the state. A custom device whose state was never set stays `Unknown`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{interface, run_in_parallel, with_resync};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, Asterisk, Bridge, SetOnDrop, configuration, eventually, on_both_versions,
};

on_both_versions!(
    member_added_by_the_bridge_first_has_asterisks_state,
    member_added_elsewhere_first_has_asterisks_state,
);

/// Each agent's device state in Asterisk, and the `device_state` and `state` that the bridge must
/// show. An empty string means that the device state is never set.
const DEVICES: [(u16, &str, &str, &str); 5] = [
    (1001, "UNAVAILABLE", "unavailable", "unavailable"),
    (1002, "INVALID", "invalid", "unavailable"),
    (1003, "", "unknown", "available"),
    (1004, "RINGING", "ringing", "ringing"),
    (1005, "NOT_INUSE", "not_in_use", "available"),
];

fn start(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    for (agent, state, ..) in DEVICES {
        if !state.is_empty() {
            asterisk.cli(&format!("devstate change Custom:acme-{agent} {state}"));
        }
    }
    let interface = "interface = \"Local/{agent}@acme-agents\"";
    let with_state_interface = format!("{interface}\nstate_interface = \"Custom:acme-{{agent}}\"");
    let text = configuration(asterisk.port).replace(interface, &with_state_interface);
    let bridge = Bridge::start(&with_resync(&text, "1h"));
    (asterisk, bridge)
}

/// The `device_state` and `state` values that the bridge has reported for each agent, in order
/// and without repetitions.
#[derive(Debug, Default, PartialEq)]
struct Reports(BTreeMap<String, Vec<(Value, Value)>>);

impl Reports {
    fn add(&mut self, member: &Value) {
        let agent = member["agent"].as_str().expect("an agent").to_owned();
        let report = (member["device_state"].clone(), member["state"].clone());
        let reports = self.0.entry(agent).or_default();
        if reports.last() != Some(&report) {
            reports.push(report);
        }
    }

    /// Returns the reports expected from a bridge that shows only Asterisk's states.
    fn expected(paused: bool) -> Self {
        let reports = DEVICES.iter().map(|(agent, _, device, state)| {
            let state = match *state {
                "available" if paused => "paused",
                state => state,
            };
            (agent.to_string(), vec![(json!(device), json!(state))])
        });
        Self(reports.collect())
    }
}

/// Adds the agents while one client follows the stream and another client reads continuously.
/// Asserts that both clients see only the states that Asterisk reports.
fn assert_first_states(
    asterisk: &Asterisk,
    bridge: &Bridge,
    paused: bool,
    mut add: impl FnMut(u16),
) {
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    stream.until("snapshot", Duration::from_secs(5));
    let done = AtomicBool::new(false);
    let (read, streamed) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reports = Reports::default();
            while !done.load(Ordering::Relaxed) {
                let shown = bridge.acme_ok("action=showqueue&queue=6001");
                let members = shown["queues"][0]["members"].as_array().expect("members");
                members.iter().for_each(|member| reports.add(member));
            }
            reports
        });
        let stop_reader = SetOnDrop(&done);
        let mut reports = Reports::default();
        for (agent, ..) in DEVICES {
            add(agent);
            let added_at = Instant::now();
            while !reports.0.contains_key(&agent.to_string()) {
                let left = Duration::from_secs(5).saturating_sub(added_at.elapsed());
                let event = stream.event(left);
                let event =
                    event.unwrap_or_else(|| panic!("no event about agent {agent} within 5 s"));
                if event.name == "member" {
                    reports.add(&event.data["member"]);
                }
            }
        }
        // Waits longer than an acknowledged change waits for its event.
        let added_at = Instant::now();
        while let Some(left) = Duration::from_millis(2500).checked_sub(added_at.elapsed()) {
            let event = stream.event(left);
            let member = event.filter(|event| event.name == "member");
            member
                .iter()
                .for_each(|event| reports.add(&event.data["member"]));
        }
        drop(stop_reader);
        (
            reader.join().expect("no panic in the reader thread"),
            reports,
        )
    });
    assert_eq!(streamed, Reports::expected(paused), "states on the stream");
    assert_eq!(read, Reports::expected(paused), "states in reads");
    // Asterisk's list has the same states.
    let mut members = asterisk.ami().members("acme-6001");
    members.sort_by(|a, b| a["Location"].cmp(&b["Location"]));
    let codes: Vec<_> = members.iter().map(|row| &*row["Status"]).collect();
    assert_eq!(codes, ["5", "4", "0", "6", "1"]);
}

fn member_added_by_the_bridge_first_has_asterisks_state(version: u32) {
    run_in_parallel(&[false, true], |paused| {
        let (asterisk, bridge) = start(version);
        assert_first_states(&asterisk, &bridge, paused, |agent| {
            let query = format!("action=add&agent={agent}&queue=6001&paused={paused}");
            bridge.acme_ok(&query);
            // The next read after the response shows the member.
            let state = bridge.acme_ok(&format!("action=showstate&agent={agent}"));
            assert_eq!(state["paused"], paused, "{state}");
        });
    });
}

fn member_added_elsewhere_first_has_asterisks_state(version: u32) {
    run_in_parallel(&["AMI", "CLI"], |source| {
        let (asterisk, bridge) = start(version);
        let mut ami = asterisk.ami();
        assert_first_states(&asterisk, &bridge, false, |agent| {
            let interface = interface(agent);
            if source == "AMI" {
                let reply = ami.reply_text(&format!(
                    "QueueAdd\r\nQueue: acme-6001\r\nInterface: {interface}\r\n\
                     StateInterface: Custom:acme-{agent}"
                ));
                assert_eq!(reply, "Success: Added interface to queue");
            } else {
                asterisk.cli(&format!(
                    "queue add member {interface} to acme-6001 penalty 0 as {agent} \
                     state_interface Custom:acme-{agent}"
                ));
            }
        });
        // The bridge still shows later changes of a device state.
        asterisk.cli("devstate change Custom:acme-1003 NOT_INUSE");
        eventually("the new device state is shown", || {
            let state = bridge.acme_ok("action=showstate&agent=1003");
            (state["queues"][0]["device_state"] == "not_in_use").then_some(())
        });
    });
}
