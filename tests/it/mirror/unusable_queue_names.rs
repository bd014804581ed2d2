//! The bridge warns once about each queue that no request can name. After the database has
//! refused to store a change, the bridge soon shows Asterisk's state again.

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
    reads_show_asterisks_state_if_the_database_does_not_store_a_pause,
);

const NAMES: [&str; 3] = ["sales team", "Büro", "תמיכה"];

/// Asserts that exactly one warning contains each name, and that this warning says which
/// characters a name may contain. `source` is the source of the warnings.
fn assert_warned_once(warnings: &[String], source: &str) {
    for name in NAMES {
        let mut matching = warnings.iter().filter(|warning| warning.contains(name));
        let warning = matching.next();
        let warning =
            warning.unwrap_or_else(|| panic!("{source}: no warning about {name}: {warnings:#?}"));
        assert!(
            matching.next().is_none(),
            "{source}: two warnings about {name}: {warnings:#?}"
        );
        let lists_characters = ["letters", "A-Z", "a-z"]
            .iter()
            .any(|word| warning.contains(word));
        assert!(lists_characters, "{source}: {warning}");
    }
}

/// Asserts that the bridge and `check` warn once about each name, and that the bridge shows the
/// `usable` other queues.
fn assert_warned(port: u16, usable: usize) {
    let text = acme_configuration(port, "\"*\"", "1s");
    let bridge = Bridge::start(&text);
    eventually("the warnings are logged", || {
        let warnings = warnings(&bridge);
        let has_warning = |name: &&str| warnings.iter().any(|line| line.contains(*name));
        NAMES.iter().all(has_warning).then_some(())
    });
    let shown = bridge.acme_ok("action=showqueue");
    assert_eq!(shown["queues"].as_array().map(Vec::len), Some(usable));
    // Resyncs and fresh reads do not repeat the warnings.
    let query_count = || bridge.sent_count("QueueStatus");
    let before = query_count();
    eventually("several resyncs", || {
        bridge.acme_ok("action=showqueue&fresh=1");
        (query_count() >= before + 4 * usable).then_some(())
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
    assert_warned(asterisk.port, 7);
}

fn bridge_warns_once_about_database_queues_that_no_request_can_name(version: u32) {
    let pbx = Realtime::start_with(version, &[], |database| {
        NAMES.iter().for_each(|name| insert_queue(database, name));
    });
    assert_warned(pbx.asterisk.port, 7);
}

/// Returns whether `queue show` lists the member as paused. The command makes Asterisk re-read
/// the database.
fn is_paused_in_asterisk(pbx: &Realtime) -> bool {
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

/// Asserts that the bridge shows Asterisk's state within a resync, and continues to show it.
fn assert_correct_within_a_resync(pbx: &Realtime, bridge: &Bridge) {
    let shown = || -> Value { bridge.acme_ok("action=showstate&agent=1001")["paused"].clone() };
    let deadline = Instant::now() + Duration::from_secs(10);
    while shown() != is_paused_in_asterisk(pbx) {
        let shown = shown();
        assert!(
            Instant::now() < deadline,
            "the bridge still shows paused: {shown}"
        );
    }
    let watch_end = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < watch_end {
        let truth = is_paused_in_asterisk(pbx);
        assert_eq!(shown(), truth);
    }
}

fn reads_show_asterisks_state_if_the_database_does_not_store_a_pause(version: u32) {
    run_in_parallel(
        &[
            assert_refused_pause_is_corrected,
            assert_locked_pause_is_corrected,
        ],
        |test| test(version),
    );
}

fn assert_refused_pause_is_corrected(version: u32) {
    let (pbx, bridge) = start_with_member(version);
    pbx.execute(
        "create trigger refuse before update on queue_members
         begin select raise(abort, 'read-only'); end",
    );
    let body = bridge.acme_ok("action=pause&agent=1001&queue=Support");
    assert_eq!(body["status"], "success");
    // Asterisk drops the pause when it re-reads the database.
    assert!(!is_paused_in_asterisk(&pbx));
    assert_correct_within_a_resync(&pbx, &bridge);
}

fn assert_locked_pause_is_corrected(version: u32) {
    let (pbx, bridge) = start_with_member(version);
    {
        let _lock = pbx.lock();
        // The response depends on Asterisk's reply, and may be a success or an error.
        bridge.get_as(
            crate::support::ACME,
            "action=pause&agent=1001&queue=Support",
        );
    }
    assert!(!is_paused_in_asterisk(&pbx));
    assert_correct_within_a_resync(&pbx, &bridge);
}
