//! A machine that has slept, as the bridge sees it: its wall clock jumps, and its
//! monotonic clock does not. By libfaketime, whose name each test has.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::support::{
    ACME, Asterisk, Bridge, Network, Proxy, SIMULATED, bridge_command, configuration, eventually,
    write_clock_offset,
};

const HOUR: Duration = Duration::from_secs(3600);

/// The bridge's own clock, which a test can set.
pub(crate) struct BridgeClock {
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl BridgeClock {
    /// A bridge with a clock that is right for now.
    fn start(configuration: &str) -> (Bridge, Self) {
        let mut command = bridge_command();
        let clock = Self::of(&mut command);
        // Each time that the bridge asks.
        command.env("FAKETIME_NO_CACHE", "1");
        (Bridge::start_command(command, configuration), clock)
    }

    /// The clock of that program, which looks once a second whether it was set.
    pub(crate) fn of(command: &mut Command) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("clock");
        write_clock_offset(&file, 0);
        command
            // The loader replaces `$LIB` by the folder of this architecture.
            .env("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1")
            .env("FAKETIME_TIMESTAMP_FILE", &file)
            .env("FAKETIME_CACHE_DURATION", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // The name that older releases know.
            .env("DONT_FAKE_MONOTONIC", "1");
        Self {
            file,
            _folder: folder,
        }
    }

    /// Sets the clock, at once, to this machine's plus that many seconds.
    pub(crate) fn set_offset(&self, offset: i64) {
        write_clock_offset(&self.file, offset);
    }
}

fn time(text: &Value) -> SystemTime {
    let text = text.as_str().expect("a time");
    let time: jiff::Timestamp = text.parse().expect("a time");
    time.into()
}

fn read(bridge: &Bridge) -> (String, Option<Value>) {
    let answer = bridge.get_as(ACME, "action=showstate&agent=1001");
    let body = (answer.status == 200).then(|| answer.json());
    (answer.outcome(), body)
}

fn linked() -> (Asterisk, Proxy, Bridge, BridgeClock) {
    let asterisk = Asterisk::start(SIMULATED);
    let proxy = Proxy::start(asterisk.port);
    let (bridge, clock) = BridgeClock::start(&configuration(proxy.port));
    bridge.wait_ready();
    (asterisk, proxy, bridge, clock)
}

/// The link has died while the machine slept.
#[test]
fn faketime_after_a_sleep_old_truth_is_not_new_and_a_dead_link_is_seen_at_once() {
    let (_asterisk, proxy, bridge, clock) = linked();
    proxy.set_network(Network::BlackHole);
    // Let what was under way come to an end, so that the truth is of before.
    read(&bridge);
    clock.set_offset(3600);
    let begun = Instant::now();
    let jumped = SystemTime::now() + HOUR;
    let lost = eventually("the link is given up", || {
        let (outcome, body) = read(&bridge);
        let Some(body) = body else {
            assert_eq!(outcome, "503 pbx_unavailable");
            return Some(begun.elapsed());
        };
        // Heard before the jump, or not at all.
        let age = jumped
            .duration_since(time(&body["as_of"]))
            .expect("earlier");
        assert!(age > HOUR - Duration::from_secs(30), "{age:?} {body}");
        None
    });
    println!("after a jump of an hour the dead link was given up after {lost:?}");
    // By silence alone it takes nine seconds.
    assert!(lost < Duration::from_secs(4), "{lost:?}");
    assert!(bridge.log().contains("the wall clock has jumped"));
    proxy.set_network(Network::Normal);
    proxy.close_connections();
    bridge.wait_ready();
}

/// The link has lived on, or someone has set the clock.
#[test]
fn faketime_a_link_that_lives_outlives_a_jump() {
    let (_asterisk, _proxy, bridge, clock) = linked();
    for offset in [3600, 0, -3600] {
        let pings = bridge.sent_count("Ping");
        clock.set_offset(offset);
        eventually("the link is asked for a sign of life", || {
            (bridge.sent_count("Ping") > pings).then_some(())
        });
        eventually("the truth has the new time", || {
            let body = read(&bridge).1.expect("the link lives");
            assert_eq!(body["stale"], false);
            let now = SystemTime::now();
            let shift = Duration::from_secs(offset.unsigned_abs());
            let now = if offset < 0 { now - shift } else { now + shift };
            let as_of = time(&body["as_of"]);
            let off = now
                .duration_since(as_of)
                .unwrap_or_else(|error| error.duration());
            (off < Duration::from_secs(20)).then_some(())
        });
    }
    assert!(!bridge.log().contains("\"link lost\""));
}
