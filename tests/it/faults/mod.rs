//! Faults in Asterisk, the network, the clock, the log and the clients. The bridge loses no
//! change, sends no change twice, and recovers.

mod chaos;
pub(crate) mod clock_jumps;
mod connection_storms;
pub(crate) mod consistency;
mod descriptors;
mod link;
mod many_pbxes;
mod outage;
mod soak;
mod stuck_log;

use std::fmt::Write as _;

use crate::support::{Asterisk, Bridge};

/// Starts an Asterisk with agents 1001 to 1032 as static members of queue `acme-6001`.
fn asterisk_with_agents(version: u32) -> Asterisk {
    let mut queues = "[general]\n[acme-6001]\n".to_owned();
    for agent in 1001..1033 {
        let _ = writeln!(queues, "member => Local/{agent}@acme-agents,0,{agent}");
    }
    Asterisk::start_with(version, &[("queues.conf", &queues)])
}

/// Asserts that the bridge and Asterisk show the same members of queue 6001, with the same
/// pauses.
fn assert_members_match(bridge: &Bridge, asterisk: &Asterisk) {
    let body = bridge.acme_ok("action=showqueue&queue=6001");
    let members = body["queues"][0]["members"].as_array().expect("members");
    let rows = asterisk.ami().members("acme-6001");
    assert_eq!(members.len(), rows.len());
    for (member, row) in members.iter().zip(rows) {
        assert_eq!(member["interface"], row["Location"].as_str());
        assert_eq!(member["paused"], row["Paused"] == "1");
        let reason = member["paused_reason"].as_str().unwrap_or_default();
        assert_eq!(reason, row["PausedReason"]);
    }
}
