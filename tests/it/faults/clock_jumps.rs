//! The bridge's host has been suspended: the wall clock jumps, but the monotonic clock does
//! not. libfaketime simulates the jump. Test names start with `faketime_`, so that `./test`
//! can skip the tests if libfaketime is not installed.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::support::{
    ACME, Asterisk, Bridge, Network, Proxy, SIMULATED, bridge_command, configuration, eventually,
    write_clock_offset,
};

const HOUR: Duration = Duration::from_secs(3600);

/// The bridge's wall clock, which tests can set.
pub(crate) struct BridgeClock {
    offset_file: PathBuf,
    _folder: tempfile::TempDir,
}

impl BridgeClock {
    /// Starts a bridge with a correct clock.
    fn start(configuration: &str) -> (Bridge, Self) {
        let mut command = bridge_command();
        let clock = Self::for_command(&mut command);
        // libfaketime reads the offset whenever the bridge reads the clock.
        command.env("FAKETIME_NO_CACHE", "1");
        (Bridge::start_command(command, configuration), clock)
    }

    /// Makes `command` run with a clock that tests set through the returned value. libfaketime
    /// reads the offset once a second.
    pub(crate) fn for_command(command: &mut Command) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let offset_file = folder.path().join("clock");
        write_clock_offset(&offset_file, 0);
        command
            // The dynamic loader replaces `$LIB` with this architecture's library folder.
            .env("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1")
            .env("FAKETIME_TIMESTAMP_FILE", &offset_file)
            .env("FAKETIME_CACHE_DURATION", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // Older releases of libfaketime use this name for the previous variable.
            .env("DONT_FAKE_MONOTONIC", "1");
        Self {
            offset_file,
            _folder: folder,
        }
    }

    /// Sets the clock to `offset` seconds ahead of the host's clock.
    pub(crate) fn set_offset(&self, offset: i64) {
        write_clock_offset(&self.offset_file, offset);
    }
}

fn parse_time(text: &Value) -> SystemTime {
    let text = text.as_str().expect("a time");
    let time: jiff::Timestamp = text.parse().expect("a time");
    time.into()
}

/// Requests the state of agent 1001. Returns the outcome, and the body of a successful response.
fn show_agent(bridge: &Bridge) -> (String, Option<Value>) {
    let response = bridge.get_as(ACME, "action=showstate&agent=1001");
    let body = (response.status == 200).then(|| response.json());
    (response.outcome(), body)
}

fn start_with_clock() -> (Asterisk, Proxy, Bridge, BridgeClock) {
    let asterisk = Asterisk::start(SIMULATED);
    let proxy = Proxy::start(asterisk.port);
    let (bridge, clock) = BridgeClock::start(&configuration(proxy.port));
    bridge.wait_ready();
    (asterisk, proxy, bridge, clock)
}

/// The link was lost while the host was suspended.
#[test]
fn faketime_as_of_stays_old_and_a_dead_link_is_dropped_within_4_seconds_after_a_suspend() {
    let (_asterisk, proxy, bridge, clock) = start_with_clock();
    proxy.set_network(Network::BlackHole);
    // Waits for messages in transit, so that `as_of` is before the jump.
    show_agent(&bridge);
    clock.set_offset(3600);
    let begun = Instant::now();
    let after_jump = SystemTime::now() + HOUR;
    let dropped_after = eventually("the bridge drops the link", || {
        let (outcome, body) = show_agent(&bridge);
        let Some(body) = body else {
            assert_eq!(outcome, "503 pbx_unavailable");
            return Some(begun.elapsed());
        };
        // The bridge received this state before the jump, so `as_of` must be an hour old.
        let age = after_jump
            .duration_since(parse_time(&body["as_of"]))
            .expect("a time before the jump");
        assert!(age > HOUR - Duration::from_secs(30), "{age:?} {body}");
        None
    });
    println!("after a jump of an hour, the bridge dropped the dead link after {dropped_after:?}");
    // Without a clock jump, the bridge drops a silent link only after 9 s.
    assert!(dropped_after < Duration::from_secs(4), "{dropped_after:?}");
    assert!(bridge.log().contains("the wall clock has jumped"));
    proxy.set_network(Network::Normal);
    proxy.close_connections();
    bridge.wait_ready();
}

/// The link has survived the suspension, or an operator has set the clock.
#[test]
fn faketime_working_link_survives_a_clock_jump() {
    let (_asterisk, _proxy, bridge, clock) = start_with_clock();
    for offset in [3600, 0, -3600] {
        let pings = bridge.sent_count("Ping");
        clock.set_offset(offset);
        eventually("the bridge sends a Ping", || {
            (bridge.sent_count("Ping") > pings).then_some(())
        });
        eventually("as_of follows the new clock", || {
            let body = show_agent(&bridge).1.expect("a response from the mirror");
            assert_eq!(body["stale"], false);
            let now = SystemTime::now();
            let shift = Duration::from_secs(offset.unsigned_abs());
            let bridge_now = if offset < 0 { now - shift } else { now + shift };
            let as_of = parse_time(&body["as_of"]);
            let difference = bridge_now
                .duration_since(as_of)
                .unwrap_or_else(|error| error.duration());
            (difference < Duration::from_secs(20)).then_some(())
        });
    }
    assert!(!bridge.log().contains("\"link lost\""));
}
