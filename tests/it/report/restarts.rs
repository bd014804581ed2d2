//! Restarts of Asterisk and set clocks begin no work and end none.

use std::time::Instant;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::row_when;
use crate::faults::clock_jumps::BridgeClock;
use crate::support::{
    Asterisk, Bridge, SIMULATED, bridge_command, configuration, eventually, on_every_pbx,
    with_state_directory,
};

on_every_pbx!(restart_of_asterisk_begins_no_pause);

/// Asterisk restores the pause, and sets its times to the moment of the restart.
fn restart_of_asterisk_begins_no_pause(version: u32) {
    let mut asterisk = Asterisk::start(version);
    let state = tempfile::tempdir().expect("a folder");
    let configuration = with_state_directory(&configuration(asterisk.port), state.path());
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002");
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    let has_paused = |seconds| move |row: &Value| row["paused_seconds"].as_u64() >= Some(seconds);
    let before = row_when(&bridge, "a second of the pause", has_paused(1));
    // Asterisk stores its members before it exits.
    asterisk.cli("core stop now");
    asterisk.wait_for_exit();
    asterisk.restart();
    bridge.wait_ready();
    let seconds = before["paused_seconds"].as_u64().expect("seconds");
    let row = row_when(&bridge, "the pause continues", has_paused(seconds + 2));
    assert_eq!(row["pauses"], 1, "{row}");
    assert_eq!(row["reasons"].as_array().map(Vec::len), Some(1), "{row}");
    let report = bridge.acme_ok("action=showreport");
    assert_eq!(report["gaps"].as_array().map(Vec::len), Some(1), "{report}");
    assert!(report["gaps"][0]["to"].is_string(), "{report}");
}

#[test]
fn faketime_set_clock_adds_and_hides_no_second() {
    for hours in [1, -1] {
        let asterisk = Asterisk::start(SIMULATED);
        let mut command = bridge_command();
        let clock = BridgeClock::for_command(&mut command);
        command.env("FAKETIME_NO_CACHE", "1");
        let bridge = Bridge::start_command(command, &configuration(asterisk.port));
        bridge.wait_ready();
        let begun = Instant::now();
        bridge.acme_ok("action=add&agent=1001&queue=6001,6002&paused=1&reason=Lunch");
        // Midnight may be less than an hour away.
        let [from, to] = [-48, 48].map(|hours: i64| {
            let time = Timestamp::now() + SignedDuration::from_hours(hours);
            TimeZone::UTC.to_datetime(time).date()
        });
        let row = || {
            let days = format!("from={from}&to={to}");
            let report = bridge.acme_ok(&format!("action=showreport&agent=1001&{days}"));
            report["rows"][0].clone()
        };
        let paused = |row: &Value| row["paused_seconds"].as_u64().unwrap_or(0);
        eventually("a second of the pause", || {
            (paused(&row()) >= 1).then_some(())
        });
        clock.set_offset(hours * 3600);
        let row = eventually("more of the pause", || {
            let row = row();
            (paused(&row) >= 4).then_some(row)
        });
        let elapsed = begun.elapsed().as_secs();
        for name in ["paused_seconds", "logged_in_seconds"] {
            let seconds = row[name].as_u64().expect("a number");
            assert!(
                (4..=elapsed + 2).contains(&seconds),
                "{hours} {elapsed}: {row}"
            );
        }
        assert_eq!(row["pauses"], 1, "{row}");
    }
}
