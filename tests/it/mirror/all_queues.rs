//! A change without `queue` reaches every queue of which the agent is a member at that
//! moment, and no queue of another organization.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{acme_configuration, add_elsewhere, interface, run_in_parallel, with_resync};
use crate::support::{
    Asterisk, Bridge, Realtime, eventually, insert_member, insert_queue, on_both_versions,
    sample_config,
};

on_both_versions!(
    pause_in_all_queues_includes_a_queue_added_by_a_reload,
    pause_in_all_queues_includes_a_queue_added_in_the_database,
    pause_in_all_queues_includes_a_queue_added_without_an_event,
    pause_in_all_queues_omits_a_queue_left_without_an_event,
);

/// The agent of these tests.
const AGENT: u16 = 1001;

/// Whether Asterisk has the agent paused, for each of the queues that has the agent as a
/// member.
fn paused_by_asterisk(asterisk: &Asterisk, queues: &[&str]) -> BTreeMap<String, bool> {
    let mut ami = asterisk.ami();
    let mut paused = BTreeMap::new();
    for queue in queues {
        if let Some(member) = ami.member(queue, &interface(AGENT)) {
            paused.insert((*queue).to_owned(), member["Paused"] == "1");
        }
    }
    paused
}

/// The queues in the response to a change. Asserts that the change succeeded in each.
fn successful_queues(answer: &Value) -> Vec<String> {
    let rows = answer["queues"].as_array().expect("rows").iter();
    let mut queues: Vec<_> = rows
        .map(|row| {
            assert_eq!(row["result"], "ok", "{answer}");
            row["queue"].as_str().expect("a queue").to_owned()
        })
        .collect();
    queues.sort();
    queues
}

/// Sends a change without `queue`. Asserts that the response lists all of `own`, given by
/// number and name, that Asterisk made the change in all of them, and that the queues in
/// `others` are unchanged.
fn assert_changes_all(
    asterisk: &Asterisk,
    bridge: &Bridge,
    action: &str,
    own: &[(&str, &str)],
    others: &[&str],
) {
    let names: Vec<_> = own.iter().map(|(_, name)| *name).collect();
    let before = paused_by_asterisk(asterisk, others);
    let answer = bridge.acme_ok(&format!("action={action}&agent={AGENT}&reason=Lunch"));
    let numbers: Vec<_> = own.iter().map(|(number, _)| *number).collect();
    assert_eq!(successful_queues(&answer), numbers, "{action}");
    let paused = action == "pause";
    let expected = names.iter().map(|name| ((*name).to_owned(), paused));
    assert_eq!(
        paused_by_asterisk(asterisk, &names),
        expected.collect(),
        "{action}"
    );
    assert_eq!(paused_by_asterisk(asterisk, others), before, "{action}");
    // The next read shows the change, too.
    let state = bridge.acme_ok(&format!("action=showstate&agent={AGENT}"));
    assert_eq!(state["paused"], paused, "{state}");
    let listed = state["queues"].as_array().expect("queues").len();
    assert_eq!(listed, own.len(), "{state}");
}

const OWN: [(&str, &str); 2] = [("6001", "acme-6001"), ("6002", "acme-6002")];

/// Other queues of which the agent's phone is a member: one of globex, and one that belongs
/// to no organization.
const OTHERS: [&str; 2] = ["globex-6001", "nobody"];

fn assert_includes_reloaded_queues(version: u32, reload: impl Fn(&Asterisk) + Sync) {
    // Each call of `assert_changes_all` starts with the state that the previous one left in the
    // bridge.
    run_in_parallel(&["pause", "unpause"], |action| {
        let before = sample_config("queues.conf") + "\n[nobody](agents)\n";
        let asterisk = Asterisk::start_with(version, &[("queues.conf", &before)]);
        let text = crate::support::configuration(asterisk.port);
        let bridge = Bridge::start(&with_resync(&text, "1h"));
        let paused = action == "unpause";
        bridge.acme_ok(&format!(
            "action=add&agent={AGENT}&queue=6001&paused={paused}"
        ));
        let mut after = before.clone();
        for queue in ["acme-6002", OTHERS[0], OTHERS[1]] {
            after += &format!("\n[{queue}](+)\nmember => {}\n", interface(AGENT));
        }
        asterisk.write_config("queues.conf", &after);
        reload(&asterisk);
        if paused {
            let mut ami = asterisk.ami();
            for queue in ["acme-6002", OTHERS[0], OTHERS[1]] {
                let answer = ami.reply_text(&format!(
                    "QueuePause\r\nQueue: {queue}\r\nInterface: {}\r\nPaused: true",
                    interface(AGENT)
                ));
                assert_eq!(answer, "Success: Interface paused successfully");
            }
        }
        assert_changes_all(&asterisk, &bridge, action, &OWN, &OTHERS);
        for action in ["pause", "unpause"] {
            assert_changes_all(&asterisk, &bridge, action, &OWN, &OTHERS);
        }
    });
}

fn pause_in_all_queues_includes_a_queue_added_by_a_reload(version: u32) {
    let ways = ["queue reload members", "queue reload all", "QueueReload"];
    run_in_parallel(&ways, |way| {
        assert_includes_reloaded_queues(version, |asterisk| {
            if way == "QueueReload" {
                let answer = asterisk.ami().reply_text("QueueReload\r\nMembers: yes");
                assert_eq!(answer, "Success: Queue reloaded successfully");
            } else {
                asterisk.cli(way);
            }
        });
    });
}

fn pause_in_all_queues_includes_a_queue_added_in_the_database(version: u32) {
    run_in_parallel(&["\"Support\", \"Sales\", \"Later\"", "\"*\""], |listed| {
        let pbx = Realtime::start_with(version, &[], |database| {
            for queue in ["Support", "Sales"] {
                insert_queue(database, queue);
            }
            insert_member(database, "Support", &interface(AGENT), b"Dana");
        });
        let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, listed, "1h"));
        let own = [("Sales", "Sales"), ("Support", "Support")];
        assert_changes_all(&pbx.asterisk, &bridge, "pause", &own[1..], &[]);
        pbx.insert_member("Sales", &interface(AGENT), "Dana");
        assert_changes_all(&pbx.asterisk, &bridge, "pause", &own, &[]);
        // A queue that did not exist before.
        pbx.insert_queue("Later");
        pbx.insert_member("Later", &interface(AGENT), "Dana");
        let own = [("Later", "Later"), own[0], own[1]];
        for action in ["unpause", "pause", "unpause"] {
            assert_changes_all(&pbx.asterisk, &bridge, action, &own, &[]);
        }
    });
}

/// Starts an Asterisk that sends the bridge no member events, and a bridge without
/// resyncs.
fn start_without_events(version: u32) -> (Asterisk, Bridge) {
    let asterisk = super::silent_events::without_agent_events(version);
    let text = crate::support::configuration(asterisk.port);
    let bridge = Bridge::start(&with_resync(&text, "1h"));
    (asterisk, bridge)
}

fn pause_in_all_queues_includes_a_queue_added_without_an_event(version: u32) {
    let (asterisk, bridge) = start_without_events(version);
    add_elsewhere(&asterisk, "acme-6001", AGENT);
    assert_changes_all(&asterisk, &bridge, "pause", &OWN[..1], &OTHERS[..1]);
    for queue in ["acme-6002", OTHERS[0]] {
        add_elsewhere(&asterisk, queue, AGENT);
    }
    for action in ["pause", "unpause"] {
        assert_changes_all(&asterisk, &bridge, action, &OWN, &OTHERS[..1]);
    }
}

fn pause_in_all_queues_omits_a_queue_left_without_an_event(version: u32) {
    let (asterisk, bridge) = start_without_events(version);
    bridge.acme_ok(&format!("action=add&agent={AGENT}&queue=6001,6002"));
    let remove = |queue: &str| {
        let answer = asterisk.ami().reply_text(&format!(
            "QueueRemove\r\nQueue: {queue}\r\nInterface: {}",
            interface(AGENT)
        ));
        assert_eq!(answer, "Success: Removed interface from queue");
    };
    remove("acme-6002");
    let answer = bridge.acme_ok(&format!("action=pause&agent={AGENT}"));
    assert_eq!(successful_queues(&answer), ["6001"]);
    remove("acme-6001");
    let query = format!("action=pause&agent={AGENT}");
    let outcome = bridge.get_as(crate::support::ACME, &query).outcome();
    assert_eq!(outcome, "404 not_a_member");
    eventually("the agent is logged out", || {
        let state = bridge.acme_ok(&format!("action=showstate&agent={AGENT}"));
        (state["state"] == "logged_out").then_some(())
    });
}
