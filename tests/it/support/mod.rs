//! Helpers for all tests: a real Asterisk, the real bridge, and clients that share no code
//! with the bridge.

mod ami;
mod asterisk;
mod bridge;
mod browser;
mod calls;
mod chromium;
mod clock;
mod configuration;
mod demo;
mod gate;
mod haproxy;
mod http;
mod load;
mod log_file;
mod log_reader;
mod port;
mod program;
mod proxy;
mod queue_name_checker;
mod read_pauses;
mod realtime;
mod simulated;
mod tls;

use std::time::{Duration, Instant};

pub(crate) use ami::{Ami, AmiMessage};
pub(crate) use asterisk::{Asterisk, SIMULATED, manager_conf, sample_config, send_signal};
pub(crate) use bridge::{API_PATH, Bridge, ResourceUsage, bridge_command};
pub(crate) use browser::Browser;
pub(crate) use calls::{ABSENT_AGENT, wait_for_start_of_second};
pub(crate) use clock::{PbxClock, write_clock_offset};
pub(crate) use configuration::{
    ACME, GLOBEX, Reason, User, configuration, configuration_with, organization, with_acme_keys,
    with_reasons, with_state_directory,
};
pub(crate) use demo::{Demo, DemoPage};
pub(crate) use gate::{Gate, HeldBytes, Hold};
pub(crate) use haproxy::HaProxy;
pub(crate) use http::{KeepAliveConnection, Response, request};
pub(crate) use load::{Outcomes, SetOnDrop, Tally, run_load};
pub(crate) use log_reader::LogReader;
pub(crate) use port::ReservedPort;
pub(crate) use program::{copy_program, write_script};
pub(crate) use proxy::{Network, Proxy};
pub(crate) use queue_name_checker::total_checked_actions;
pub(crate) use read_pauses::{ReadPauseMonitor, ReadPauses};
pub(crate) use realtime::{Realtime, insert_member, insert_queue};
pub(crate) use tls::{connect_tls, http_tls_section};

/// Declares tests that run on Asterisk 16 and on Asterisk 22.
///
/// The path of each test contains `asterisk_16` or `asterisk_22`. `./test` uses these words to
/// skip tests if an Asterisk version is missing, and `.ci/run` to count the tests that ran.
macro_rules! on_both_versions {
    ($($name:ident),+ $(,)?) => {
        mod asterisk_16 { $( #[test] fn $name() { super::$name(16); } )+ }
        mod asterisk_22 { $( #[test] fn $name() { super::$name(22); } )+ }
    };
}
pub(crate) use on_both_versions;

/// Declares tests that run on Asterisk 16, on Asterisk 22 and on the simulated PBX. They show
/// that the simulated PBX behaves like a real one.
macro_rules! on_every_pbx {
    ($($name:ident),+ $(,)?) => {
        $crate::support::on_both_versions!($($name),+);
        mod simulated { $( #[test] fn $name() { super::$name($crate::support::SIMULATED); } )+ }
    };
}
pub(crate) use on_every_pbx;

/// Starts an Asterisk with the sample configuration and a bridge with the two sample
/// organizations.
pub(crate) fn start(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&configuration(asterisk.port));
    (asterisk, bridge)
}

/// Like [`start`], but without the [queue name checker](queue_name_checker) between the
/// bridge and Asterisk. For tests of the link, load and speed.
pub(crate) fn start_direct(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start_direct(version);
    let bridge = Bridge::start(&configuration(asterisk.port));
    (asterisk, bridge)
}

/// How long [`eventually`] waits. Must exceed the bridge's longest reconnect delay: 30 s, after
/// many connections that were lost immediately.
const EVENTUALLY_TIMEOUT: Duration = Duration::from_secs(45);

/// Polls `condition` until it returns a value, and returns that value. After 45 s, panics
/// with `expectation`.
pub(crate) fn eventually<T>(expectation: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + EVENTUALLY_TIMEOUT;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "did not happen within 45 s: {expectation}"
        );
        // Limits the polling rate. No result depends on this delay.
        std::thread::sleep(Duration::from_millis(20));
    }
}
