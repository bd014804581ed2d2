//! The bridge warns once about a queue whose name no request can carry. It soon shows
//! Asterisk's state again after the database refused to store a change.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{acme_configuration, check, interface, run_in_parallel, warnings};
use crate::support::{
    Asterisk, Bridge, Realtime, eventually, insert_member, insert_queue, on_both_versions,
    sample_config,
};

on_both_versions!(
    bridge_warns_once_about_queues_that_no_request_can_name,
    bridge_warns_once_about_database_queues_that_no_request_can_name,
    reads_follow_asterisk_if_the_database_did_not_store_a_pause,
);

const NAMES: [&str; 3] = ["sales team", "Büro", "תמיכה"];

/// Asserts that exactly one of the texts contains each name, and that this text says which
/// characters a name may have.
fn assert_warned_once(texts: &[String], what: &str) {
    for name in NAMES {
        let mut about = texts.iter().filter(|text| text.contains(name));
        let text = about.next();
        let text = text.unwrap_or_else(|| panic!("{what}: no warning about {name}: {texts:#?}"));
        assert!(
            about.next().is_none(),
            "{what}: two warnings about {name}: {texts:#?}"
        );
        let lists_characters = ["letters", "A-Z", "a-z"]
            .iter()
            .any(|word| text.contains(word));
        assert!(lists_characters, "{what}: {text}");
    }
}

fn assert_warned(port: u16, others: usize) {
    let text = acme_configuration(port, "\"*\"", "1s");
    let bridge = Bridge::start(&text);
    eventually("the warnings", || {
        let warnings = warnings(&bridge);
        let is_warned = |name: &&str| warnings.iter().any(|line| line.contains(*name));
        NAMES.iter().all(is_warned).then_some(())
    });
    let shown = bridge.acme_ok("action=showqueue");
    assert_eq!(shown["queues"].as_array().map(Vec::len), Some(others));
    // Neither resyncs nor full lists repeat the warnings.
    let queries = || bridge.sent_count("QueueStatus");
    let before = queries();
    eventually("resyncs", || {
        bridge.acme_ok("action=showqueue&fresh=1");
        (queries() >= before + 4 * others).then_some(())
    });
    assert_warned_once(&warnings(&bridge), "log");

    let (status, report) = check(&text, &[]);
    assert_eq!(status, Some(0), "{report}");
    let warnings = report["warnings"].as_array().expect("warnings").iter();
    let warnings = warnings.map(|text| text.as_str().expect("text").to_owned());
    assert_warned_once(&warnings.collect::<Vec<_>>(), "check");
}

fn bridge_warns_once_about_queues_that_no_request_can_name(version: u32) {
    let mut queues = sample_config("queues.conf");
    for name in NAMES {
        queues += &format!("\n[{name}](agents)\n");
    }
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    assert!(asterisk.cli("queue show").contains("sales team"));
    assert_warned(asterisk.port, 4);
}

fn bridge_warns_once_about_database_queues_that_no_request_can_name(version: u32) {
    let pbx = Realtime::start_with(version, &[], |database| {
        NAMES.iter().for_each(|name| insert_queue(database, name));
    });
    assert_warned(pbx.asterisk.port, 4);
}

/// Whether `queue show` lists the member as paused. The command makes Asterisk read the
/// database again.
fn is_paused(pbx: &Realtime) -> bool {
    let text = pbx.asterisk.cli("queue show Support");
    assert!(text.contains(&interface(1001)), "{text}");
    text.contains("(paused")
}

fn start_with_member(version: u32) -> (Realtime, Bridge) {
    let pbx = Realtime::start_with(version, &[], |database| {
        insert_queue(database, "Support");
        insert_member(database, "Support", &interface(1001), b"Dana");
    });
    let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, "\"Support\"", "2s"));
    (pbx, bridge)
}

/// Asserts that the bridge shows Asterisk's state within a resync, and keeps doing so.
fn assert_truth_within_a_resync(pbx: &Realtime, bridge: &Bridge) {
    let shown = || -> Value { bridge.acme_ok("action=showstate&agent=1001")["paused"].clone() };
    let limit = Instant::now() + Duration::from_secs(4);
    while shown() != is_paused(pbx) {
        let shown = shown();
        assert!(Instant::now() < limit, "the bridge shows paused: {shown}");
    }
    let until = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < until {
        let truth = is_paused(pbx);
        assert_eq!(shown(), truth);
    }
}

fn reads_follow_asterisk_if_the_database_did_not_store_a_pause(version: u32) {
    run_in_parallel(&[refused, locked], |test| test(version));
}

fn refused(version: u32) {
    let (pbx, bridge) = start_with_member(version);
    pbx.execute(
        "create trigger refuse before update on queue_members
         begin select raise(abort, 'read-only'); end",
    );
    let answer = bridge.acme_ok("action=pause&agent=1001&queue=Support");
    assert_eq!(answer["status"], "success");
    // When Asterisk reads the database again, it drops the pause.
    assert!(!is_paused(&pbx));
    assert_truth_within_a_resync(&pbx, &bridge);
}

fn locked(version: u32) {
    let (pbx, bridge) = start_with_member(version);
    {
        let _lock = pbx.lock();
        // The response may be a success or an error, depending on Asterisk's reply.
        bridge.get_as(
            crate::support::ACME,
            "action=pause&agent=1001&queue=Support",
        );
    }
    assert!(!is_paused(&pbx));
    assert_truth_within_a_resync(&pbx, &bridge);
}
