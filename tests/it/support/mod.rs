//! What the tests stand on: a real Asterisk, the real bridge, and clients that
//! are not the bridge's own code.

mod ami;
mod asterisk;
mod bridge;
mod browser;
mod certificate;
mod clock;
mod haproxy;
mod http;
mod load;
mod log_file;
mod log_reader;
mod port;
mod proxy;
mod queue_name_checker;
mod read_pauses;
mod realtime;
mod simulated;

use std::time::{Duration, Instant};

pub(crate) use ami::{Ami, AmiMessage};
pub(crate) use asterisk::{Asterisk, SIMULATED, sample_config, send_signal};
pub(crate) use bridge::{
    ACME, API_PATH, Bridge, GLOBEX, ResourceUsage, User, bridge_command, configuration,
};
pub(crate) use browser::Browser;
pub(crate) use certificate::http_tls_section;
pub(crate) use clock::{PbxClock, write_clock_offset};
pub(crate) use haproxy::HaProxy;
pub(crate) use http::{KeepAliveConnection, Response, request};
pub(crate) use load::{Outcomes, SetOnDrop, Tally, run_load};
pub(crate) use log_reader::LogReader;
pub(crate) use port::ReservedPort;
pub(crate) use proxy::{Network, Proxy};
pub(crate) use queue_name_checker::checked_in_total;
pub(crate) use read_pauses::{ReadPauseMonitor, ReadPauses};
pub(crate) use realtime::{Realtime, insert_member, insert_queue};

/// Declares tests that run on a fresh Asterisk of each generation.
///
/// The name of each has `asterisk_16` or `asterisk_22` in it, so that a run
/// without Asterisk can leave them out by name, and be seen to.
macro_rules! on_both_versions {
    ($($name:ident),+ $(,)?) => {
        mod asterisk_16 { $( #[test] fn $name() { super::$name(16); } )+ }
        mod asterisk_22 { $( #[test] fn $name() { super::$name(22); } )+ }
    };
}
pub(crate) use on_both_versions;

/// Declares tests that run on each generation, and on the simulated PBX, which so
/// is proven to be like them.
macro_rules! on_every_pbx {
    ($($name:ident),+ $(,)?) => {
        $crate::support::on_both_versions!($($name),+);
        mod simulated { $( #[test] fn $name() { super::$name($crate::support::SIMULATED); } )+ }
    };
}
pub(crate) use on_every_pbx;

/// A bridge with the usual two organizations on a fresh sample Asterisk.
pub(crate) fn start(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&configuration(asterisk.port));
    (asterisk, bridge)
}

/// The same, with nothing between the two: for tests of the link itself, of load and
/// of speed.
pub(crate) fn start_direct(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start_direct(version);
    let bridge = Bridge::start(&configuration(asterisk.port));
    (asterisk, bridge)
}

/// Longer than the bridge ever waits before it links again: half a minute, after many
/// links that were lost at once.
const PATIENCE: Duration = Duration::from_secs(45);

/// Waits until the condition gives a value; what is waited for is said when it
/// doesn't.
pub(crate) fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        // Paces the polling; nothing depends on its length.
        std::thread::sleep(Duration::from_millis(20));
    }
}
