//! A change without `queue` applies to all queues in which the agent is a member when Asterisk
//! executes it, and to no queue of another organization.

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
    pause_in_all_queues_omits_a_queue_that_the_agent_left_without_an_event,
);

/// The agent in these tests.
const AGENT: u16 = 1001;

/// Returns whether the agent is paused in Asterisk, for each of `queues` that contains the
/// agent.
fn pauses_in_asterisk(asterisk: &Asterisk, queues: &[&str]) -> BTreeMap<String, bool> {
    let mut ami = asterisk.ami();
    let mut paused = BTreeMap::new();
    for queue in queues {
        if let Some(member) = ami.member(queue, &interface(AGENT)) {
            paused.insert((*queue).to_owned(), member["Paused"] == "1");
        }
    }
    paused
}

/// Returns the queues in the response to a change. Asserts that the change succeeded in all of
/// them.
fn successful_queues(body: &Value) -> Vec<String> {
    let rows = body["queues"].as_array().expect("rows").iter();
    let mut queues: Vec<_> = rows
        .map(|row| {
            assert_eq!(row["result"], "ok", "{body}");
            row["queue"].as_str().expect("a queue").to_owned()
        })
        .collect();
    queues.sort();
    queues
}

/// Sends a change without `queue`. Asserts that the response lists all of `affected`, that
/// Asterisk made the change in all of these queues, and that the queues in `unaffected` are
/// unchanged. `affected` contains queue numbers and names.
fn assert_changes_all(
    asterisk: &Asterisk,
    bridge: &Bridge,
    action: &str,
    affected: &[(&str, &str)],
    unaffected: &[&str],
) {
    let names: Vec<_> = affected.iter().map(|(_, name)| *name).collect();
    let before = pauses_in_asterisk(asterisk, unaffected);
    let body = bridge.acme_ok(&format!("action={action}&agent={AGENT}&reason=Lunch"));
    let numbers: Vec<_> = affected.iter().map(|(number, _)| *number).collect();
    assert_eq!(successful_queues(&body), numbers, "{action}");
    let paused = action == "pause";
    let expected = names.iter().map(|name| ((*name).to_owned(), paused));
    assert_eq!(
        pauses_in_asterisk(asterisk, &names),
        expected.collect(),
        "{action}"
    );
    assert_eq!(pauses_in_asterisk(asterisk, unaffected), before, "{action}");
    // The next read shows the change.
    let state = bridge.acme_ok(&format!("action=showstate&agent={AGENT}"));
    assert_eq!(state["paused"], paused, "{state}");
    let queue_count = state["queues"].as_array().expect("queues").len();
    assert_eq!(queue_count, affected.len(), "{state}");
}

/// The numbers and names of the queues in which changes must take effect.
const ACME_QUEUES: [(&str, &str); 2] = [("6001", "acme-6001"), ("6002", "acme-6002")];

/// Queues that changes must not affect, even though the agent's phone is a member of them: a queue
/// of globex, and a queue that belongs to no organization.
const OTHER_QUEUES: [&str; 2] = ["globex-6001", "nobody"];

fn assert_includes_reloaded_queues(version: u32, reload: impl Fn(&Asterisk) + Sync) {
    // Each call of `assert_changes_all` starts from the bridge state that the previous call left.
    run_in_parallel(&["pause", "unpause"], |action| {
        let initial = sample_config("queues.conf") + "\n[nobody](agents)\n";
        let asterisk = Asterisk::start_with(version, &[("queues.conf", &initial)]);
        let text = crate::support::configuration(asterisk.port);
        let bridge = Bridge::start(&with_resync(&text, "1h"));
        let starts_paused = action == "unpause";
        bridge.acme_ok(&format!(
            "action=add&agent={AGENT}&queue=6001&paused={starts_paused}"
        ));
        let mut extended = initial.clone();
        for queue in ["acme-6002", OTHER_QUEUES[0], OTHER_QUEUES[1]] {
            extended += &format!("\n[{queue}](+)\nmember => {}\n", interface(AGENT));
        }
        asterisk.write_config("queues.conf", &extended);
        reload(&asterisk);
        if starts_paused {
            let mut ami = asterisk.ami();
            for queue in ["acme-6002", OTHER_QUEUES[0], OTHER_QUEUES[1]] {
                let reply = ami.reply_text(&format!(
                    "QueuePause\r\nQueue: {queue}\r\nInterface: {}\r\nPaused: true",
                    interface(AGENT)
                ));
                assert_eq!(reply, "Success: Interface paused successfully");
            }
        }
        assert_changes_all(&asterisk, &bridge, action, &ACME_QUEUES, &OTHER_QUEUES);
        for action in ["pause", "unpause"] {
            assert_changes_all(&asterisk, &bridge, action, &ACME_QUEUES, &OTHER_QUEUES);
        }
    });
}

fn pause_in_all_queues_includes_a_queue_added_by_a_reload(version: u32) {
    let commands = ["queue reload members", "queue reload all", "QueueReload"];
    run_in_parallel(&commands, |command| {
        assert_includes_reloaded_queues(version, |asterisk| {
            if command == "QueueReload" {
                let reply = asterisk.ami().reply_text("QueueReload\r\nMembers: yes");
                assert_eq!(reply, "Success: Queue reloaded successfully");
            } else {
                asterisk.cli(command);
            }
        });
    });
}

fn pause_in_all_queues_includes_a_queue_added_in_the_database(version: u32) {
    run_in_parallel(
        &["\"Support\", \"Sales\", \"Later\"", "\"*\""],
        |configured| {
            let pbx = Realtime::start_with(version, &[], |database| {
                for queue in ["Support", "Sales"] {
                    insert_queue(database, queue);
                }
                insert_member(database, "Support", &interface(AGENT), b"Dana");
            });
            let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, configured, "1h"));
            let queues = [("Sales", "Sales"), ("Support", "Support")];
            assert_changes_all(&pbx.asterisk, &bridge, "pause", &queues[1..], &[]);
            pbx.insert_member("Sales", &interface(AGENT), "Dana");
            assert_changes_all(&pbx.asterisk, &bridge, "pause", &queues, &[]);
            // Creates a queue while the bridge is running.
            pbx.insert_queue("Later");
            pbx.insert_member("Later", &interface(AGENT), "Dana");
            let queues = [("Later", "Later"), queues[0], queues[1]];
            for action in ["unpause", "pause", "unpause"] {
                assert_changes_all(&pbx.asterisk, &bridge, action, &queues, &[]);
            }
        },
    );
}

/// Starts an Asterisk that sends the bridge no member events, and a bridge that does not
/// resync.
fn start_without_events(version: u32) -> (Asterisk, Bridge) {
    let asterisk = super::silent_events::start_without_agent_events(version);
    let text = crate::support::configuration(asterisk.port);
    let bridge = Bridge::start(&with_resync(&text, "1h"));
    (asterisk, bridge)
}

fn pause_in_all_queues_includes_a_queue_added_without_an_event(version: u32) {
    let (asterisk, bridge) = start_without_events(version);
    add_elsewhere(&asterisk, "acme-6001", AGENT);
    assert_changes_all(
        &asterisk,
        &bridge,
        "pause",
        &ACME_QUEUES[..1],
        &OTHER_QUEUES[..1],
    );
    for queue in ["acme-6002", OTHER_QUEUES[0]] {
        add_elsewhere(&asterisk, queue, AGENT);
    }
    for action in ["pause", "unpause"] {
        assert_changes_all(&asterisk, &bridge, action, &ACME_QUEUES, &OTHER_QUEUES[..1]);
    }
}

fn pause_in_all_queues_omits_a_queue_that_the_agent_left_without_an_event(version: u32) {
    let (asterisk, bridge) = start_without_events(version);
    bridge.acme_ok(&format!("action=add&agent={AGENT}&queue=6001,6002"));
    let remove = |queue: &str| {
        let reply = asterisk.ami().reply_text(&format!(
            "QueueRemove\r\nQueue: {queue}\r\nInterface: {}",
            interface(AGENT)
        ));
        assert_eq!(reply, "Success: Removed interface from queue");
    };
    remove("acme-6002");
    let body = bridge.acme_ok(&format!("action=pause&agent={AGENT}"));
    assert_eq!(successful_queues(&body), ["6001"]);
    remove("acme-6001");
    let query = format!("action=pause&agent={AGENT}");
    let outcome = bridge.get_as(crate::support::ACME, &query).outcome();
    assert_eq!(outcome, "404 not_a_member");
    eventually("the agent is logged out", || {
        let state = bridge.acme_ok(&format!("action=showstate&agent={AGENT}"));
        (state["state"] == "logged_out").then_some(())
    });
}
