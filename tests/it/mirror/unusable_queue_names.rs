//! Queues whose names no request can carry are reported once, and what the database
//! refused to store is not believed for long.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{acme_configuration, check, each, interface, warnings};
use crate::support::{
    Asterisk, Bridge, Realtime, eventually, insert_member, insert_queue, on_both_versions,
    sample_config,
};

on_both_versions!(
    queues_that_no_request_can_name_are_warned_of_once,
    queues_of_the_database_that_no_request_can_name_are_warned_of,
    a_pause_that_the_database_did_not_store_is_shown_as_asterisk_has_it,
);

const NAMES: [&str; 3] = ["sales team", "Büro", "תמיכה"];

/// Asserts that each name is in exactly one of these texts, and that the text says which
/// characters a name may have.
fn assert_warned_once(texts: &[String], what: &str) {
    for name in NAMES {
        let mut about = texts.iter().filter(|text| text.contains(name));
        let text = about.next();
        let text = text.unwrap_or_else(|| panic!("{what}: nothing of {name}: {texts:#?}"));
        assert!(about.next().is_none(), "{what}: {name} twice: {texts:#?}");
        let says_how = ["letters", "A-Z", "a-z"]
            .iter()
            .any(|word| text.contains(word));
        assert!(says_how, "{what}: {text}");
    }
}

fn assert_warned(port: u16, others: usize) {
    let text = acme_configuration(port, "\"*\"", "1s");
    let bridge = Bridge::start(&text);
    eventually("the warnings", || {
        let warnings = warnings(&bridge);
        let told = |name: &&str| warnings.iter().any(|line| line.contains(*name));
        NAMES.iter().all(told).then_some(())
    });
    let shown = bridge.acme_ok("action=showqueue");
    assert_eq!(shown["queues"].as_array().map(Vec::len), Some(others));
    // Resyncs, and whole lists, do not repeat them.
    let asked = || bridge.sent_count("QueueStatus");
    let before = asked();
    eventually("resyncs", || {
        bridge.acme_ok("action=showqueue&fresh=1");
        (asked() >= before + 4 * others).then_some(())
    });
    assert_warned_once(&warnings(&bridge), "log");

    let (status, report) = check(&text, &[]);
    assert_eq!(status, Some(0), "{report}");
    let warnings = report["warnings"].as_array().expect("warnings").iter();
    let warnings = warnings.map(|text| text.as_str().expect("text").to_owned());
    assert_warned_once(&warnings.collect::<Vec<_>>(), "check");
}

fn queues_that_no_request_can_name_are_warned_of_once(version: u32) {
    let mut queues = sample_config("queues.conf");
    for name in NAMES {
        queues += &format!("\n[{name}](agents)\n");
    }
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    assert!(asterisk.cli("queue show").contains("sales team"));
    assert_warned(asterisk.port, 4);
}

fn queues_of_the_database_that_no_request_can_name_are_warned_of(version: u32) {
    let pbx = Realtime::start_with(version, &[], |database| {
        NAMES.iter().for_each(|name| insert_queue(database, name));
    });
    assert_warned(pbx.asterisk.port, 4);
}

/// Whether `queue show` has the member paused. Asks Asterisk to read the database anew.
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

/// Asserts that the bridge shows Asterisk's truth within a resync, and goes on to.
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

fn a_pause_that_the_database_did_not_store_is_shown_as_asterisk_has_it(version: u32) {
    each(&[refused, locked], |test| test(version));
}

fn refused(version: u32) {
    let (pbx, bridge) = start_with_member(version);
    pbx.execute(
        "create trigger refuse before update on queue_members
         begin select raise(abort, 'read-only'); end",
    );
    let answer = bridge.acme_ok("action=pause&agent=1001&queue=Support");
    assert_eq!(answer["status"], "success");
    // Asterisk has forgotten it at its next reading.
    assert!(!is_paused(&pbx));
    assert_truth_within_a_resync(&pbx, &bridge);
}

fn locked(version: u32) {
    let (pbx, bridge) = start_with_member(version);
    {
        let _lock = pbx.lock();
        // Success or not, as Asterisk answers.
        bridge.get_as(
            crate::support::ACME,
            "action=pause&agent=1001&queue=Support",
        );
    }
    assert!(!is_paused(&pbx));
    assert_truth_within_a_resync(&pbx, &bridge);
}
