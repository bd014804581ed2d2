//! The bridge shows the same state as Asterisk: after any change, even in a read immediately after
//! the change, and despite unusual names, missing events, database errors and wrong clocks.

mod all_queues;
mod cached_reads;
pub(crate) mod churn;
mod clocks;
pub(crate) mod comparison;
mod drift;
pub(crate) mod expected;
mod member_order;
mod odd_bytes;
mod own_writes;
mod parity;
mod removal_everywhere;
mod service_levels;
mod silent_changes;
mod silent_events;
mod spelling;
mod unknown_devices;
mod unusable_queue_names;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{
    ACME, Asterisk, Bridge, bridge_command, configuration, configuration_with, organization,
    sample_config,
};

/// The `resync_interval` of [`live_configuration`].
pub(crate) const RESYNC: std::time::Duration = std::time::Duration::from_secs(3);

/// Returns the usual configuration with more queues for acme, and with a resync interval that
/// is short enough for tests to wait for a resync.
pub(crate) fn live_configuration(ami_port: u16) -> String {
    configuration(ami_port)
        .replace("[pbx.main]", "[pbx.main]\nresync_interval = \"3s\"")
        .replace(
            "queues = [\"6001\", \"6002\"]",
            "queues = [\"6001\", \"6002\", \"6003\", \"6004\", \"6005\"]",
        )
}

/// Sets the log level of a configuration to `info` instead of `trace`, to keep the log small.
pub(crate) fn log_at_info(configuration: &str) -> String {
    configuration.replace("info,ami_bridge=trace", "info")
}

/// Replaces the resync interval of [`live_configuration`] with one that exceeds the duration of
/// any test.
pub(crate) fn without_resync(configuration: &str) -> String {
    configuration.replace("resync_interval = \"3s\"", "resync_interval = \"1h\"")
}

/// Returns a `queues.conf` with the sample queues and queues with other strategies. Each bit
/// of `variant` adds a change that an administrator might make.
pub(crate) fn queues_conf(variant: u8) -> String {
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

/// The number of variants of [`queues_conf`].
pub(crate) const VARIANTS: u8 = 1 << 5;

/// Starts an Asterisk with the queues in [`queues_conf`], and a bridge.
pub(crate) fn start_live(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues_conf(0))]);
    let bridge = Bridge::start(&log_at_info(&live_configuration(asterisk.port)));
    (asterisk, bridge)
}

/// Returns a configuration with acme as the only organization. Queues have the same names in
/// the organization as on the PBX. `queues` is the content of a TOML array.
fn acme_configuration(ami_port: u16, queues: &str, resync_interval: &str) -> String {
    let acme = organization("acme", queues, "{queue}", ACME);
    with_resync(&configuration_with(ami_port, &[acme]), resync_interval)
}

/// Adds a resync interval to a configuration without one.
fn with_resync(configuration: &str, interval: &str) -> String {
    let section = format!("[pbx.main]\nresync_interval = \"{interval}\"");
    configuration.replace("[pbx.main]", &section)
}

/// Returns the interface of one of acme's agents.
fn interface(agent: u16) -> String {
    format!("Local/{agent}@acme-agents")
}

/// Adds an agent to a queue without the bridge, through another AMI session.
fn add_elsewhere(asterisk: &Asterisk, queue: &str, agent: u16) {
    let reply = asterisk.ami().reply_text(&format!(
        "QueueAdd\r\nQueue: {queue}\r\nInterface: {}",
        interface(agent)
    ));
    assert_eq!(reply, "Success: Added interface to queue");
}

/// Returns the acme agents that `queue show` lists in a queue.
fn agents_in_asterisk(asterisk: &Asterisk, queue: &str) -> BTreeSet<String> {
    let text = asterisk.cli(&format!("queue show {queue}"));
    // The interface is in parentheses unless it is also the member's name.
    let words = text.split(['(', ')', ' ', '\n']);
    words
        .filter_map(|interface| interface.strip_prefix("Local/"))
        .filter_map(|rest| rest.strip_suffix("@acme-agents"))
        .map(str::to_owned)
        .collect()
}

/// Returns the agents in `queue`, an element of `queues` in a response. `?` stands for a
/// member that is not one of the organization's agents.
fn agents(queue: &Value) -> BTreeSet<String> {
    let members = queue["members"].as_array().expect("members").iter();
    members
        .map(|member| member["agent"].as_str().unwrap_or("?").to_owned())
        .collect()
}

/// Runs `test` for all cases in parallel, because each case mostly waits.
pub(crate) fn run_in_parallel<T: Copy + Send>(cases: &[T], test: impl Fn(T) + Sync) {
    let test = &test;
    std::thread::scope(|scope| {
        let run = |case: &T| {
            let case = *case;
            scope.spawn(move || test(case))
        };
        let threads: Vec<_> = cases.iter().map(run).collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

fn agent_set(agents: &[&str]) -> BTreeSet<String> {
    agents.iter().map(ToString::to_string).collect()
}

/// Returns all log lines with level WARN.
fn warnings(bridge: &Bridge) -> Vec<String> {
    let log = bridge.log();
    let lines = log.lines().filter(|line| {
        let fields: Value = serde_json::from_str(line).unwrap_or_default();
        fields["level"] == "WARN"
    });
    lines.map(str::to_owned).collect()
}

/// Runs `ami-bridge check --json` with additional arguments. Returns its exit status and
/// report.
fn check(configuration: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    std::fs::write(&file, configuration).expect("written");
    let mut command = bridge_command();
    command.args(["check", "--json", "--config"]).arg(file);
    let output = command
        .args(arguments)
        .output()
        .expect("an executable program");
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&text);
    let report = report.unwrap_or_else(|_| panic!("the report is not JSON: {output:?}"));
    (output.status.code(), report)
}
