//! The bridge shows members in Asterisk's order, even if two sessions add members at the same time
//! and the reply to one of them overtakes the event caused by the other.

use std::sync::Barrier;

use super::{live_configuration, log_at_info, queues_conf, without_resync};
use crate::support::{Ami, Asterisk, Bridge, eventually, on_both_versions};

on_both_versions!(members_added_concurrently_have_asterisks_order);

const ROUNDS: usize = 150;

fn members_added_concurrently_have_asterisks_order(version: u32) {
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues_conf(0))]);
    // Without resyncs, the bridge depends on events and replies for the order.
    let bridge = Bridge::start(&without_resync(&log_at_info(&live_configuration(
        asterisk.port,
    ))));
    let mut ami = asterisk.ami();
    let mut differences = Vec::new();
    // Asterisk stores the members of queue 6001 in a hash table, and the members of queue 6003 in
    // a list.
    for round in 0..ROUNDS {
        let queue = ["6001", "6003"][round % 2];
        let barrier = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                barrier.wait();
                for agent in [1001, 1002, 1003] {
                    bridge.acme_ok(&format!("action=add&agent={agent}&queue={queue}"));
                }
            });
            barrier.wait();
            for agent in [1004, 1005, 1006] {
                change(&mut ami, "QueueAdd", queue, agent);
            }
        });
        let expected: Vec<String> = ami
            .members(&format!("acme-{queue}"))
            .into_iter()
            .map(|row| row["Location"].clone())
            .collect();
        // A queue's events arrive in order, so this pause is shown after the additions.
        let reason = format!("round {round}");
        let pause = format!("QueuePause\r\nPaused: true\r\nReason: {reason}");
        change(&mut ami, &pause, queue, 1006);
        let members = eventually("the pause is shown", || {
            let body = bridge.acme_ok(&format!("action=showqueue&queue={queue}"));
            let members = body["queues"][0]["members"].as_array()?.clone();
            let mut reasons = members.iter().map(|member| &member["paused_reason"]);
            reasons.any(|shown| *shown == *reason).then_some(members)
        });
        let shown: Vec<_> = members
            .iter()
            .map(|member| member["interface"].as_str().unwrap_or("?"))
            .collect();
        if shown != expected {
            differences.push(format!("{queue}: Asterisk {expected:?}, bridge {shown:?}"));
        }
        for agent in 1001..=1006 {
            change(&mut ami, "QueueRemove", queue, agent);
        }
        eventually("the added members are gone", || {
            let body = bridge.acme_ok(&format!("action=showqueue&queue={queue}"));
            let count = body["queues"][0]["members"].as_array()?.len();
            (count == expected.len() - 6).then_some(())
        });
    }
    println!(
        "member order, Asterisk {version}: {ROUNDS} rounds, {} with a different order",
        differences.len()
    );
    assert_eq!(differences, Vec::<String>::new());
}

fn change(ami: &mut Ami, action: &str, queue: &str, agent: u16) {
    let response = ami.send(&format!(
        "Action: {action}\r\nQueue: acme-{queue}\r\nInterface: Local/{agent}@acme-agents"
    ));
    assert_eq!(response["Response"], "Success", "{response:?}");
}
