//! Where the day's work is stored, and what a report says if it is not.

use std::fs;

use serde_json::json;

use super::row_when;
use crate::support::{
    ACME, Asterisk, Bridge, SIMULATED, configuration, eventually, manager_conf, on_both_versions,
    wait_for_start_of_second, with_state_directory,
};

on_both_versions!(second_bridge_reports_the_same_work);

#[test]
fn report_is_refused_as_json_until_the_database_works() {
    let asterisk = Asterisk::start(SIMULATED);
    let state = tempfile::tempdir().expect("a folder");
    let file = state.path().join("state.db");
    fs::write(&file, "garbage".repeat(1000)).expect("a writable file");
    let configuration = with_state_directory(&configuration(asterisk.port), state.path());
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    for format in ["json", "csv"] {
        let refused = bridge.get_as(ACME, &format!("action=showreport&format={format}"));
        assert_eq!(refused.outcome(), "503 storage_unavailable");
        assert_eq!(refused.header("retry-after"), Some("1"));
        let content_type = refused.header("content-type");
        assert_eq!(content_type, Some("application/json; charset=utf-8"));
    }
    fs::remove_file(&file).expect("it exists");
    let report = eventually("the report is available again", || {
        let response = bridge.get_as(ACME, "action=showreport");
        (response.status == 200).then(|| response.json())
    });
    assert_eq!(report["rows"][0]["agent"], "1001");
}

#[test]
fn report_without_a_directory_begins_with_the_process() {
    let asterisk = Asterisk::start(SIMULATED);
    let state = tempfile::tempdir().expect("a folder");
    let in_memory = configuration(asterisk.port);
    let on_disk = with_state_directory(&in_memory, state.path());
    for (configuration, is_stored) in [(&in_memory, false), (&on_disk, true)] {
        let bridge = Bridge::start(configuration);
        let since = eventually("the bridge sees the PBX", || {
            let since = bridge.acme_ok("action=showreport")["since"].clone();
            since.is_string().then_some(since)
        });
        let later = eventually("a second passes", || {
            let now = jiff::Timestamp::now().as_second();
            let since: jiff::Timestamp = since.as_str()?.parse().ok()?;
            (now > since.as_second() + 1).then(|| since.as_second())
        });
        assert!(bridge.stop().0.success());
        let bridge = Bridge::start(configuration);
        let report = eventually("the gap ends", || {
            let report = bridge.acme_ok("action=showreport");
            let is_open =
                report["gaps"][0]["from"].is_string() && report["gaps"][0]["to"].is_null();
            (report["since"].is_string() && !is_open).then_some(report)
        });
        assert_eq!(report["complete"], false);
        assert_eq!(report["since"] == since, is_stored, "{later} {report}");
        let gaps = report["gaps"].as_array().expect("gaps").len();
        assert_eq!(gaps, usize::from(is_stored), "{report}");
    }
}

#[test]
fn report_has_open_logins_and_pauses_after_the_state_is_removed() {
    let asterisk = Asterisk::start(SIMULATED);
    let state = tempfile::tempdir().expect("a folder");
    let configuration = with_state_directory(&configuration(asterisk.port), state.path());
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    let before = row_when(&bridge, "two seconds pass", |row| {
        row["paused_seconds"].as_u64() >= Some(2)
    });
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        fs::remove_file(state.path().join(name)).expect("it exists");
    }
    let after = eventually("the new file has the pause", || {
        let response = bridge.get_as(ACME, "action=showreport");
        let row = (response.status == 200).then(|| response.json()["rows"][0].clone())?;
        (row["paused_seconds"].as_u64() > before["paused_seconds"].as_u64()).then_some(row)
    });
    assert!(after["alias"].is_string(), "{after}");
    assert_eq!(after["alias"], before["alias"]);
    assert_eq!(after["reasons"][0]["reason"], "Lunch");
    assert_eq!(after["pauses"], 1);
}

#[test]
fn days_that_have_not_begun_are_not_complete() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    eventually("the bridge sees the PBX", || {
        let report = bridge.acme_ok("action=showreport");
        report["since"].is_string().then_some(())
    });
    let report = bridge.acme_ok("action=showreport&from=2999-01-01&to=2999-01-02");
    assert_eq!(
        (&report["complete"], &report["gaps"]),
        (&json!(false), &json!([]))
    );
}

#[test]
fn days_before_the_first_sight_have_no_gap_but_are_not_complete() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let today = eventually("the bridge sees the PBX", || {
        let report = bridge.acme_ok("action=showreport");
        report["since"].is_string().then_some(report)
    });
    assert_eq!(today["complete"], false);
    let report = bridge.acme_ok("action=showreport&from=2020-01-01&to=2020-12-31&by=day");
    assert_eq!(report["since"], today["since"]);
    assert_eq!(
        (&report["complete"], &report["gaps"], &report["rows"]),
        (&json!(false), &json!([]), &json!([]))
    );
}

/// Each bridge has its own state, and each sees what the other changes.
fn second_bridge_reports_the_same_work(version: u32) {
    // Otherwise, each bridge dates an event when it arrives there.
    let manager = manager_conf().replace("[general]", "[general]\ntimestampevents = yes");
    let asterisk = Asterisk::start_with(version, &[("manager.conf", &manager)]);
    let states = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let [first, second] = states.each_ref().map(|state| {
        Bridge::start(&with_state_directory(
            &configuration(asterisk.port),
            state.path(),
        ))
    });
    let change = |bridge: &Bridge, query: &str| {
        wait_for_start_of_second();
        bridge.acme_ok(query);
    };
    change(&first, "action=add&agent=1001,1002&queue=6001,6002");
    change(&first, "action=pause&agent=1001&reason=Lunch");
    change(&second, "action=pause&agent=1002&queue=6002&reason=Break");
    row_when(&first, "two seconds pass", |row| {
        row["paused_seconds"].as_u64() >= Some(2)
    });
    change(&second, "action=unpause&agent=1001");
    change(&first, "action=pause&agent=1001&queue=6001");
    change(&second, "action=remove&agent=1001,1002&queue=*");
    for query in ["by=agent", "by=reason", "by=queue,agent"] {
        let rows = |bridge: &Bridge| {
            bridge.acme_ok(&format!("action=showreport&agent=1001,1002&{query}"))["rows"].clone()
        };
        eventually("both reports are equal", || {
            let (first, second) = (rows(&first), rows(&second));
            // The pause without a reason has ended in both.
            (first == second && first[0]["pauses"].as_u64() >= Some(1)).then_some(())
        });
    }
    let row = row_when(&second, "both pauses are reported", |row| {
        row["pauses"] == 2
    });
    assert!(row["paused_seconds"].as_u64() >= Some(2), "{row}");
}
