//! If a queue or a member has vanished from a list without an apparent reason, the bridge logs
//! a warning and soon queries Asterisk again.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{acme_configuration, agent_set, agents, interface, run_in_parallel, warnings};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, Bridge, Realtime, eventually, insert_member, insert_queue, on_both_versions,
};

on_both_versions!(
    bridge_recovers_soon_after_a_database_lock,
    bridge_recovers_soon_after_a_database_lock_at_startup,
    dynamic_members_survive_a_locked_database_and_a_renamed_queue,
    members_that_vanish_and_return_are_shown_again,
    bridge_finds_a_configured_queue_that_is_created_later,
);

/// The time within which the bridge must show the correct state after Asterisk itself has
/// recovered.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(5);

const QUEUE: &str = "Support";

fn start(version: u32) -> Realtime {
    Realtime::start_with(version, &[], |database| {
        insert_queue(database, QUEUE);
        for agent in [1001, 1002] {
            insert_member(database, QUEUE, &interface(agent), b"Rita");
        }
    })
}

/// Returns the agents that the bridge shows in the queue, or `None` if it does not show the queue.
/// The read does not name the queue, because naming it could make the bridge query it.
fn shown_agents(bridge: &Bridge) -> Option<std::collections::BTreeSet<String>> {
    let body = bridge.acme_ok("action=showqueue");
    let mut queues = body["queues"].as_array().expect("queues").iter();
    queues.find(|queue| queue["name"] == QUEUE).map(agents)
}

/// Asserts that the bridge shows both agents within `timeout`. Does not use `fresh=1`.
fn assert_recovers_within(bridge: &Bridge, timeout: Duration) {
    let begun = Instant::now();
    eventually("the bridge shows both agents", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        let has_both = shown_agents(bridge)? == agent_set(&["1001", "1002"]);
        (has_both && state["state"] == "available").then_some(())
    });
    let took = begun.elapsed();
    assert!(took < timeout, "the bridge recovered only after {took:?}");
}

/// Waits until the bridge logs a WARN line that names the queue.
fn wait_for_warning(bridge: &Bridge, expectation: &str) {
    eventually(expectation, || {
        let mut warnings = warnings(bridge).into_iter();
        warnings.any(|line| line.contains(QUEUE)).then_some(())
    });
}

fn bridge_recovers_soon_after_a_database_lock(version: u32) {
    run_in_parallel(&["\"Support\"", "\"*\""], |configured| {
        let pbx = start(version);
        let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, configured, "1h"));
        assert_eq!(shown_agents(&bridge), Some(agent_set(&["1001", "1002"])));
        let mut has_vanished = false;
        {
            let _lock = pbx.lock();
            // Simulates a panel that polls with `fresh=1`.
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(2) {
                has_vanished |= shown_agents(&bridge) != Some(agent_set(&["1001", "1002"]));
                bridge.get_as(ACME, "action=showqueue&fresh=1");
                bridge.get_as(ACME, "action=showstate&agent=1001&fresh=1");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        assert_recovers_within(&bridge, RECOVERY_TIMEOUT);
        // There is no warning if the queue never vanished from Asterisk's replies.
        if has_vanished {
            wait_for_warning(&bridge, "a warning about the vanished queue");
        }
    });
}

fn bridge_recovers_soon_after_a_database_lock_at_startup(version: u32) {
    let pbx = start(version);
    let bridge = {
        let _lock = pbx.lock();
        let text = acme_configuration(pbx.asterisk.port, "\"Support\"", "1h");
        let bridge = Bridge::start(&text);
        wait_for_warning(&bridge, "a warning about the missing queue");
        bridge
    };
    // The bridge may have increased its query interval while the database was locked.
    assert_recovers_within(&bridge, RECOVERY_TIMEOUT * 2);
}

/// Asterisk drops a realtime queue's dynamic members if the queue is queried by name while the
/// database is locked or after a rename. The bridge must not send such queries.
fn dynamic_members_survive_a_locked_database_and_a_renamed_queue(version: u32) {
    let pbx = start(version);
    super::add_elsewhere(&pbx.asterisk, QUEUE, 1003);
    let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, "\"*\"", "1s"));
    let _stream = EventClient::open(bridge.address, ACME, "");
    let poll = || {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(2500) {
            bridge.get_as(ACME, "action=showqueue&fresh=1");
            bridge.get_as(ACME, "action=showqueuestat");
        }
    };
    let row_count = || {
        let interface = interface(1003);
        let rows = pbx.asterisk.ami().queue_status("").into_iter();
        rows.filter(|row| row.get("Location") == Some(&interface))
            .count()
    };
    {
        let _lock = pbx.lock();
        poll();
    }
    assert_eq!(row_count(), 1, "the lock has removed the dynamic member");
    pbx.execute("update queues set name = 'SUPPORT'");
    poll();
    assert_eq!(row_count(), 1, "the rename has removed the dynamic member");
}

/// The rows are deleted and inserted again, for example when an import replaces the table.
fn members_that_vanish_and_return_are_shown_again(version: u32) {
    let pbx = start(version);
    let text = acme_configuration(pbx.asterisk.port, "\"Support\"", "1h");
    let bridge = Bridge::start(&text);
    pbx.execute("create table saved as select * from queue_members; delete from queue_members");
    bridge.acme_ok("action=showqueue&queue=Support&fresh=1");
    assert_eq!(shown_agents(&bridge), Some(agent_set(&[])));
    pbx.execute("insert into queue_members select * from saved");
    assert_recovers_within(&bridge, RECOVERY_TIMEOUT);
    wait_for_warning(&bridge, "a warning about the vanished members");

    // If a vanished member does not return, the bridge stops querying for it.
    pbx.execute("delete from queue_members where interface like '%1002%'");
    let fresh = || bridge.acme_ok("action=showqueue&queue=Support&fresh=1");
    assert_eq!(agents(&fresh()["queues"][0]), agent_set(&["1001"]));
    std::thread::sleep(Duration::from_secs(4));
    let query_count = || bridge.sent_count("QueueStatus");
    let before = query_count();
    std::thread::sleep(Duration::from_secs(2));
    let sent = query_count() - before;
    assert!(sent <= 2, "{sent} queries in two seconds");
}

fn bridge_finds_a_configured_queue_that_is_created_later(version: u32) {
    let pbx = Realtime::start(version);
    let text = acme_configuration(pbx.asterisk.port, "\"Support\"", "1h");
    let bridge = Bridge::start(&text);
    wait_for_warning(&bridge, "a warning about the missing queue");
    let has_queue = |body: &Value| {
        let queues = body["queues"].as_array().cloned().unwrap_or_default();
        queues.iter().any(|queue| queue["name"] == QUEUE)
    };
    assert!(!has_queue(&bridge.acme_ok("action=showqueue")));
    pbx.insert_queue(QUEUE);
    for agent in [1001, 1002] {
        pbx.insert_member(QUEUE, &interface(agent), "Rita");
    }
    // The reads neither name the queue nor use `fresh=1`.
    let begun = Instant::now();
    eventually("the queue is found", || {
        has_queue(&bridge.acme_ok("action=showqueue")).then_some(())
    });
    let took = begun.elapsed();
    assert!(
        took < Duration::from_secs(8),
        "the queue was found only after {took:?}"
    );
    assert_recovers_within(&bridge, RECOVERY_TIMEOUT);
}
