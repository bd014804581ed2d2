//! The wall clock jumps, or the host sleeps, while a timed pause stands. Ends are by date, and
//! late ones happen once. Test names start with `faketime_` if they need libfaketime.

use std::time::Duration;

use jiff::Timestamp;

use super::watch::EventWatch;
use super::{
    LUNCH_SECONDS, MAX_DELAY, MAX_STAND_IN_DELAY, TIME_OVER, ended_rows, interface, log_rows,
    parse_time, pause_in_asterisk, stored_configuration, wait_until,
};
use crate::faults::clock_jumps::BridgeClock;
use crate::support::{Asterisk, Bridge, PbxClock, bridge_command, eventually, on_both_versions};

on_both_versions!(
    faketime_pause_ends_once_after_a_jump_over_its_end,
    faketime_pause_does_not_end_early_after_a_jump_back,
    faketime_pause_ends_on_time_if_the_clock_of_asterisk_jumps,
    faketime_limit_follows_the_clock_of_asterisk,
    pause_ends_once_after_the_bridge_was_stopped_across_its_end,
);

const QUEUE: &str = "acme-6001";

const HOUR: i64 = 3600;

/// The bridge notices a jump of its clock within this time. After a jump, it may also have to
/// connect again.
const MAX_DELAY_AFTER_A_JUMP: Duration = Duration::from_secs(3);

struct Setup {
    bridge: Bridge,
    watch: EventWatch,
    _state: tempfile::TempDir,
}

impl Setup {
    /// Starts a bridge, with its own clock if `clock` is true, and adds agents 1001 and 1002.
    fn start(asterisk: &Asterisk, clock: bool) -> (Self, Option<BridgeClock>) {
        let state = tempfile::tempdir().expect("a folder");
        let configuration = stored_configuration(asterisk.port, state.path());
        let mut command = bridge_command();
        let clock = clock.then(|| {
            let clock = BridgeClock::for_command(&mut command);
            command.env("FAKETIME_NO_CACHE", "1");
            clock
        });
        let bridge = Bridge::start_command(command, &configuration);
        bridge.wait_ready();
        for agent in [1001, 1002] {
            bridge.acme_ok(&format!("action=add&agent={agent}&queue=6001"));
        }
        let setup = Self {
            bridge,
            watch: EventWatch::start(asterisk),
            _state: state,
        };
        (setup, clock)
    }

    /// Pauses agent 1001 with a duration. Returns the promised end.
    fn pause(&self, seconds: i64) -> Timestamp {
        let query = format!("action=pause&agent=1001&queue=6001&reason=Tea&duration={seconds}");
        let body = self.bridge.acme_ok(&query);
        parse_time(&body["queues"][0]["ends_at"])
    }

    /// Waits until the bridge has ended the pause of an agent, and returns when.
    fn wait_for_end(&self, agent: u16) -> Timestamp {
        eventually(&format!("the pause of agent {agent} ends"), || {
            let times = self.watch.unpauses(QUEUE, agent, TIME_OVER);
            times.first().copied()
        })
    }
}

/// Asserts that the bridge has unpaused an agent once, and does not do so again.
fn assert_ended_once(asterisk: &Asterisk, agent: u16) {
    // A second unpause would come within this time.
    std::thread::sleep(MAX_STAND_IN_DELAY);
    let rows = log_rows(asterisk, QUEUE, agent);
    assert_eq!(
        ended_rows(&rows).len(),
        1,
        "agent {agent} must be unpaused once: {rows:#?}"
    );
}

fn assert_between(at: Timestamp, earliest: Timestamp, latest: Timestamp) {
    assert!(
        (earliest..=latest).contains(&at),
        "the pause must end between {earliest} and {latest}, not at {at}"
    );
}

fn faketime_pause_ends_once_after_a_jump_over_its_end(version: u32) {
    let asterisk = Asterisk::start(version);
    let (setup, clock) = Setup::start(&asterisk, true);
    let clock = clock.expect("a clock");
    setup.pause(HOUR / 2);
    let jumped = Timestamp::now();
    clock.set_offset(HOUR);
    let at = setup.wait_for_end(1001);
    assert_between(at, jumped, jumped + MAX_DELAY_AFTER_A_JUMP);
    assert_ended_once(&asterisk, 1001);
}

fn faketime_pause_does_not_end_early_after_a_jump_back(version: u32) {
    let asterisk = Asterisk::start(version);
    let (setup, clock) = Setup::start(&asterisk, true);
    let clock = clock.expect("a clock");
    let end = setup.pause(2);
    clock.set_offset(-HOUR);
    wait_until(end + Duration::from_secs(3));
    assert_eq!(
        pause_in_asterisk(&mut asterisk.ami(), QUEUE, 1001),
        Some((true, "Tea".to_owned())),
        "by the bridge's clock, the end is an hour away"
    );
    let jumped = Timestamp::now();
    clock.set_offset(0);
    let at = setup.wait_for_end(1001);
    assert_between(at, jumped, jumped + MAX_DELAY_AFTER_A_JUMP);
    assert_ended_once(&asterisk, 1001);
}

/// The bridge's own clock decides about ends that it has promised.
fn faketime_pause_ends_on_time_if_the_clock_of_asterisk_jumps(version: u32) {
    for jump in [HOUR, -HOUR] {
        let pbx = PbxClock::start(version, 0);
        let (setup, _) = Setup::start(&pbx.asterisk, false);
        let end = setup.pause(3);
        pbx.set_offset(jump);
        let at = setup.wait_for_end(1001);
        assert_between(at, end, end + MAX_DELAY);
        assert_ended_once(&pbx.asterisk, 1001);
    }
}

/// Asterisk's clock is minutes off. A limit counts from the time that Asterisk reports,
/// converted to the bridge's clock.
fn faketime_limit_follows_the_clock_of_asterisk(version: u32) {
    for offset in [300, -300] {
        let pbx = PbxClock::start(version, offset);
        let (setup, _) = Setup::start(&pbx.asterisk, false);
        let promised = setup.pause(2);
        let begun = Timestamp::now();
        let reply = pbx.asterisk.ami().reply_text(&format!(
            "QueuePause\r\nQueue: {QUEUE}\r\nInterface: {}\r\nPaused: true\r\nReason: Lunch",
            interface(1002)
        ));
        assert_eq!(reply, "Success: Interface paused successfully");
        let limit = begun + Duration::from_secs(LUNCH_SECONDS.unsigned_abs());
        // Asterisk reports the beginning in whole seconds.
        let second = Duration::from_secs(1);
        let latest = limit + MAX_DELAY + MAX_STAND_IN_DELAY + second;
        assert_between(setup.wait_for_end(1001), promised, promised + MAX_DELAY);
        assert_between(setup.wait_for_end(1002), limit - second, latest);
        assert_ended_once(&pbx.asterisk, 1001);
        assert_ended_once(&pbx.asterisk, 1002);
    }
}

/// The host sleeps, or the process is stopped: no timer of the process runs.
fn pause_ends_once_after_the_bridge_was_stopped_across_its_end(version: u32) {
    let asterisk = Asterisk::start(version);
    let (setup, _) = Setup::start(&asterisk, false);
    let end = setup.pause(2);
    setup.bridge.freeze();
    wait_until(end + Duration::from_secs(2));
    let resumed = Timestamp::now();
    setup.bridge.resume();
    let at = setup.wait_for_end(1001);
    assert_between(at, resumed, resumed + MAX_DELAY);
    assert_ended_once(&asterisk, 1001);
}
