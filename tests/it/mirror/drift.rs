//! One negative answer of Asterisk is not believed for long: what vanishes from a list
//! without a reason is asked about again soon, and logged.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{acme_configuration, agents, each, interface, set, warnings};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, Bridge, Realtime, eventually, insert_member, insert_queue, on_both_versions,
};

on_both_versions!(
    a_database_that_was_locked_is_asked_again_at_once,
    a_database_locked_at_the_start_is_asked_again_at_once,
    dynamic_members_outlive_a_locked_and_a_renamed_queue,
    members_that_vanish_and_return_are_found,
    a_configured_queue_that_comes_later_is_found,
);

/// How soon the bridge has to be right after Asterisk is.
const SOON: Duration = Duration::from_secs(2);

const QUEUE: &str = "Support";

fn start(version: u32) -> Realtime {
    Realtime::start_with(version, &[], |database| {
        insert_queue(database, QUEUE);
        for agent in [1001, 1002] {
            insert_member(database, QUEUE, &interface(agent), b"Rita");
        }
    })
}

/// The agents that the bridge shows in the queue, if it shows the queue. No read names
/// the queue: that alone could make the bridge ask about it.
fn shown(bridge: &Bridge) -> Option<std::collections::BTreeSet<String>> {
    let answer = bridge.acme_ok("action=showqueue");
    let mut queues = answer["queues"].as_array().expect("queues").iter();
    queues.find(|queue| queue["name"] == QUEUE).map(agents)
}

/// Waits until the bridge shows both agents, without asking it to look anew, and
/// asserts that this takes no longer than `bound`.
fn assert_right_within(bridge: &Bridge, bound: Duration) {
    let begun = Instant::now();
    eventually("the bridge shows both agents", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        let is_right = shown(bridge)? == set(&["1001", "1002"]);
        (is_right && state["state"] == "available").then_some(())
    });
    let took = begun.elapsed();
    assert!(took < bound, "right only after {took:?}");
}

/// Waits for a WARN line that names the queue.
fn assert_warned(bridge: &Bridge, what: &str) {
    eventually(what, || {
        let mut warnings = warnings(bridge).into_iter();
        warnings.any(|line| line.contains(QUEUE)).then_some(())
    });
}

fn a_database_that_was_locked_is_asked_again_at_once(version: u32) {
    each(&["\"Support\"", "\"*\""], |listed| {
        let pbx = start(version);
        let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, listed, "1h"));
        assert_eq!(shown(&bridge), Some(set(&["1001", "1002"])));
        let mut has_vanished = false;
        {
            let _lock = pbx.lock();
            // A panel polls, and asks for the newest state.
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(2) {
                has_vanished |= shown(&bridge) != Some(set(&["1001", "1002"]));
                bridge.get_as(ACME, "action=showqueue&fresh=1");
                bridge.get_as(ACME, "action=showstate&agent=1001&fresh=1");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        assert_right_within(&bridge, SOON);
        // Asked about all queues at once, Asterisk may keep it.
        if has_vanished {
            assert_warned(&bridge, "a warning of the queue that vanished");
        }
    });
}

fn a_database_locked_at_the_start_is_asked_again_at_once(version: u32) {
    let pbx = start(version);
    let bridge = {
        let _lock = pbx.lock();
        let text = acme_configuration(pbx.asterisk.port, "\"Support\"", "1h");
        let bridge = Bridge::start(&text);
        assert_warned(&bridge, "a warning of the queue that is missing");
        bridge
    };
    // The interval between two questions may have grown by then.
    assert_right_within(&bridge, SOON * 2);
}

/// Asked about a realtime queue by name at the wrong moment, Asterisk would throw its
/// dynamic members out.
fn dynamic_members_outlive_a_locked_and_a_renamed_queue(version: u32) {
    let pbx = start(version);
    super::add(&pbx.asterisk, QUEUE, 1003);
    let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, "\"*\"", "1s"));
    let _stream = EventClient::open(bridge.address, ACME, "");
    let poll = || {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(2500) {
            bridge.get_as(ACME, "action=showqueue&fresh=1");
            bridge.get_as(ACME, "action=showqueuestat");
        }
    };
    let asterisk_has = || {
        let interface = interface(1003);
        let rows = pbx.asterisk.ami().queue_status("").into_iter();
        rows.filter(|row| row.get("Location") == Some(&interface))
            .count()
    };
    {
        let _lock = pbx.lock();
        poll();
    }
    assert_eq!(asterisk_has(), 1, "after the lock");
    pbx.execute("update queues set name = 'SUPPORT'");
    poll();
    assert_eq!(asterisk_has(), 1, "after the renaming");
}

/// Rows are removed and inserted again, as an import does that replaces a table.
fn members_that_vanish_and_return_are_found(version: u32) {
    let pbx = start(version);
    let text = acme_configuration(pbx.asterisk.port, "\"Support\"", "1h");
    let bridge = Bridge::start(&text);
    pbx.execute("create table kept as select * from queue_members; delete from queue_members");
    bridge.acme_ok("action=showqueue&queue=Support&fresh=1");
    assert_eq!(shown(&bridge), Some(set(&[])));
    pbx.execute("insert into queue_members select * from kept");
    assert_right_within(&bridge, SOON);
    assert_warned(&bridge, "a warning of the members that vanished");

    // What does not return is believed: it is not asked about for ever.
    pbx.execute("delete from queue_members where interface like '%1002%'");
    let fresh = || bridge.acme_ok("action=showqueue&queue=Support&fresh=1");
    assert_eq!(agents(&fresh()["queues"][0]), set(&["1001"]));
    std::thread::sleep(Duration::from_secs(4));
    let asked = || bridge.sent_count("QueueStatus");
    let before = asked();
    std::thread::sleep(Duration::from_secs(2));
    let more = asked() - before;
    assert!(more <= 2, "{more} questions in two seconds");
}

fn a_configured_queue_that_comes_later_is_found(version: u32) {
    let pbx = Realtime::start(version);
    let text = acme_configuration(pbx.asterisk.port, "\"Support\"", "1h");
    let bridge = Bridge::start(&text);
    assert_warned(&bridge, "a warning of the queue that is missing");
    let named = |answer: &Value| {
        let queues = answer["queues"].as_array().cloned().unwrap_or_default();
        queues.iter().any(|queue| queue["name"] == QUEUE)
    };
    assert!(!named(&bridge.acme_ok("action=showqueue")));
    pbx.insert_queue(QUEUE);
    for agent in [1001, 1002] {
        pbx.insert_member(QUEUE, &interface(agent), "Rita");
    }
    // No read names it, and none asks for a fresh state.
    let begun = Instant::now();
    eventually("the queue is found", || {
        named(&bridge.acme_ok("action=showqueue")).then_some(())
    });
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(8), "found only after {took:?}");
    assert_right_within(&bridge, SOON);
}
