//! A change without `queue` reaches every queue in which Asterisk has the agent at that
//! moment, and no queue of another organization.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{acme_configuration, add, each, interface, with_resync};
use crate::support::{
    Asterisk, Bridge, Realtime, eventually, insert_member, insert_queue, on_both_versions,
    sample_config,
};

on_both_versions!(
    a_queue_added_by_a_reload_is_paused_too,
    a_queue_added_in_the_database_is_paused_too,
    a_queue_added_without_an_event_is_paused_too,
    a_queue_that_the_agent_left_without_an_event_is_not_listed,
);

/// The agent of these tests.
const AGENT: u16 = 1001;

/// In which of these queues Asterisk has the agent paused.
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

/// The queues of an answer's rows, each of which must be a success.
fn rows(answer: &Value) -> Vec<String> {
    let rows = answer["queues"].as_array().expect("rows").iter();
    let mut rows: Vec<_> = rows
        .map(|row| {
            assert_eq!(row["result"], "ok", "{answer}");
            row["queue"].as_str().expect("a queue").to_owned()
        })
        .collect();
    rows.sort();
    rows
}

/// Sends a change without `queue` and asserts that it is listed and done in all of
/// `own`, by number and name, and that `others` are untouched.
fn assert_everywhere(
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
    assert_eq!(rows(&answer), numbers, "{action}");
    let paused = action == "pause";
    let expected = names.iter().map(|name| ((*name).to_owned(), paused));
    assert_eq!(
        paused_by_asterisk(asterisk, &names),
        expected.collect(),
        "{action}"
    );
    assert_eq!(paused_by_asterisk(asterisk, others), before, "{action}");
    // And the answer that a client gets next.
    let state = bridge.acme_ok(&format!("action=showstate&agent={AGENT}"));
    assert_eq!(state["paused"], paused, "{state}");
    let listed = state["queues"].as_array().expect("queues").len();
    assert_eq!(listed, own.len(), "{state}");
}

const OWN: [(&str, &str); 2] = [("6001", "acme-6001"), ("6002", "acme-6002")];

/// The agent's phone is in a queue of globex and in one of nobody, too.
const OTHERS: [&str; 2] = ["globex-6001", "nobody"];

fn after_reload(version: u32, reload: impl Fn(&Asterisk) + Sync) {
    // Each round begins with what the bridge has learned of the one before.
    each(&["pause", "unpause"], |action| {
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
        assert_everywhere(&asterisk, &bridge, action, &OWN, &OTHERS);
        for action in ["pause", "unpause"] {
            assert_everywhere(&asterisk, &bridge, action, &OWN, &OTHERS);
        }
    });
}

fn a_queue_added_by_a_reload_is_paused_too(version: u32) {
    let ways = ["queue reload members", "queue reload all", "QueueReload"];
    each(&ways, |way| {
        after_reload(version, |asterisk| {
            if way == "QueueReload" {
                let answer = asterisk.ami().reply_text("QueueReload\r\nMembers: yes");
                assert_eq!(answer, "Success: Queue reloaded successfully");
            } else {
                asterisk.cli(way);
            }
        });
    });
}

fn a_queue_added_in_the_database_is_paused_too(version: u32) {
    each(&["\"Support\", \"Sales\", \"Later\"", "\"*\""], |listed| {
        let pbx = Realtime::start_with(version, &[], |database| {
            for queue in ["Support", "Sales"] {
                insert_queue(database, queue);
            }
            insert_member(database, "Support", &interface(AGENT), b"Dana");
        });
        let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, listed, "1h"));
        let own = [("Sales", "Sales"), ("Support", "Support")];
        assert_everywhere(&pbx.asterisk, &bridge, "pause", &own[1..], &[]);
        pbx.insert_member("Sales", &interface(AGENT), "Dana");
        assert_everywhere(&pbx.asterisk, &bridge, "pause", &own, &[]);
        // A queue that was not there, either.
        pbx.insert_queue("Later");
        pbx.insert_member("Later", &interface(AGENT), "Dana");
        let own = [("Later", "Later"), own[0], own[1]];
        for action in ["unpause", "pause", "unpause"] {
            assert_everywhere(&pbx.asterisk, &bridge, action, &own, &[]);
        }
    });
}

/// The AMI user sees no member events.
fn without_events(version: u32) -> (Asterisk, Bridge) {
    let asterisk = super::silent_events::without_agent_events(version);
    let text = crate::support::configuration(asterisk.port);
    let bridge = Bridge::start(&with_resync(&text, "1h"));
    (asterisk, bridge)
}

fn a_queue_added_without_an_event_is_paused_too(version: u32) {
    let (asterisk, bridge) = without_events(version);
    add(&asterisk, "acme-6001", AGENT);
    assert_everywhere(&asterisk, &bridge, "pause", &OWN[..1], &OTHERS[..1]);
    for queue in ["acme-6002", OTHERS[0]] {
        add(&asterisk, queue, AGENT);
    }
    for action in ["pause", "unpause"] {
        assert_everywhere(&asterisk, &bridge, action, &OWN, &OTHERS[..1]);
    }
}

fn a_queue_that_the_agent_left_without_an_event_is_not_listed(version: u32) {
    let (asterisk, bridge) = without_events(version);
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
    assert_eq!(rows(&answer), ["6001"]);
    remove("acme-6001");
    let query = format!("action=pause&agent={AGENT}");
    let outcome = bridge.get_as(crate::support::ACME, &query).outcome();
    assert_eq!(outcome, "404 not_a_member");
    eventually("the agent is logged out", || {
        let state = bridge.acme_ok(&format!("action=showstate&agent={AGENT}"));
        (state["state"] == "logged_out").then_some(())
    });
}
