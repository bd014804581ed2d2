//! Members are shown in Asterisk's order, also where two sides add at the same
//! moment and the answer to one overtakes the event of the other.

use std::sync::Barrier;

use super::{live_configuration, queues_conf, quiet, unasked};
use crate::support::{Ami, Asterisk, Bridge, eventually, on_both_versions};

on_both_versions!(added_at_once_stands_as_asterisk_has_it);

const ROUNDS: usize = 150;

fn added_at_once_stands_as_asterisk_has_it(version: u32) {
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues_conf(0))]);
    // Nothing but events and answers: no resync puts an order right.
    let bridge = Bridge::start(&unasked(&quiet(&live_configuration(asterisk.port))));
    let mut ami = asterisk.ami();
    let mut differences = Vec::new();
    // 6001 hashes its members, 6003 keeps them in a list.
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
        let asterisks: Vec<String> = ami
            .members(&format!("acme-{queue}"))
            .into_iter()
            .map(|row| row["Location"].clone())
            .collect();
        // All events have come when each device is known.
        let shown = eventually("all are told of", || {
            let shown = bridge.acme_ok(&format!("action=showqueue&queue={queue}"));
            let members = shown["queues"][0]["members"].as_array()?.clone();
            let known = members
                .iter()
                .all(|member| member["device_state"] == "not_in_use");
            (known && members.len() == asterisks.len()).then_some(members)
        });
        let shown: Vec<_> = shown
            .iter()
            .map(|m| m["interface"].as_str().unwrap_or("?"))
            .collect();
        if shown != asterisks {
            differences.push(format!("{queue}: Asterisk {asterisks:?}, bridge {shown:?}"));
        }
        for agent in 1001..=1006 {
            change(&mut ami, "QueueRemove", queue, agent);
        }
        eventually("all are gone", || {
            let shown = bridge.acme_ok(&format!("action=showqueue&queue={queue}"));
            let left = shown["queues"][0]["members"].as_array()?.len();
            (left == asterisks.len() - 6).then_some(())
        });
    }
    println!(
        "order, Asterisk {version}: {ROUNDS} times, {} otherwise",
        differences.len()
    );
    assert_eq!(differences, Vec::<String>::new());
}

fn change(ami: &mut Ami, action: &str, queue: &str, agent: u16) {
    let answer = ami.send(&format!(
        "Action: {action}\r\nQueue: acme-{queue}\r\nInterface: Local/{agent}@acme-agents"
    ));
    assert_eq!(answer["Response"], "Success", "{answer:?}");
}
