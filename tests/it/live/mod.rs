//! The live state against what Asterisk itself says: equal after any churn, equal
//! for whoever has written, and equal for whoever only follows the events.

mod churn;
mod comparison;
mod contract;
mod order;
mod outage;
mod own_writes;
mod panel;
mod parity;
mod reading;
pub(crate) mod sse;
mod stream;
mod stream_ends;
mod stream_resume;
pub(crate) mod truth;

use crate::support::{Asterisk, Bridge, configuration, sample_config};

/// How often every queue is asked about in these tests.
const RESYNC: std::time::Duration = std::time::Duration::from_secs(3);

/// The usual two organizations, with more queues, and a resync that a test can
/// wait for.
fn live_configuration(ami_port: u16) -> String {
    configuration(ami_port)
        .replace("[pbx.main]", "[pbx.main]\nresync_interval = \"3s\"")
        .replace(
            "queues = [\"6001\", \"6002\"]",
            "queues = [\"6001\", \"6002\", \"6003\", \"6004\", \"6005\"]",
        )
}

/// The same, with a log that stays small.
fn quiet(configuration: &str) -> String {
    configuration.replace("info,ami_bridge=trace", "info")
}

/// The same, where no queue is asked about in its turn.
fn unasked(configuration: &str) -> String {
    configuration.replace("resync_interval = \"3s\"", "resync_interval = \"1h\"")
}

/// The sample's queues and some of other strategies. Each bit of the variant is a
/// change of the kind that somebody makes in an editor.
fn queues_conf(variant: u8) -> String {
    let has = |bit: u8| variant & 1 << bit != 0;
    let mut text = sample_config("queues.conf");
    text += "\n[acme-6003](agents)\nstrategy = linear\n\
             member => Local/1051@acme-agents,2,Static Lin\n\
             \n[acme-6004](agents)\nstrategy = rrordered\n";
    if has(0) {
        text += "\n[acme-6001](+)\nmember => Local/1052@acme-agents,3,Static Sue\n";
    }
    if has(1) {
        text += "\n[acme-6005](agents)\nstrategy = random\nmember => Local/1001@acme-agents\n";
    }
    if has(2) {
        text = text.replace("@acme-agents,0,Static Sam", "@acme-agents,5,Static Samuel");
    }
    if has(3) {
        text += "\n[globex-6003](agents)\nstrategy = fewestcalls\n";
    }
    if has(4) {
        text += "\n[acme-6004](+)\nmaxlen = 7\nweight = 3\nservicelevel = 20\n";
    }
    text
}

/// How many kinds of change [`queues_conf`] has.
const VARIANTS: u8 = 1 << 5;

/// An Asterisk with the queues of [`queues_conf`], and a bridge.
fn start_live(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues_conf(0))]);
    let bridge = Bridge::start(&quiet(&live_configuration(asterisk.port)));
    (asterisk, bridge)
}
