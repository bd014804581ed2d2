//! What Asterisk is asked, and how far its answers are believed.
//!
//! Each file is one kind of fault that public reports of queue operators led to, held
//! against a real Asterisk of the oldest and the newest generation.

mod clocks;
mod doubt;
mod everywhere;
mod odd_bytes;
mod service_levels;
mod silent_changes;
mod silent_events;
mod spelling;
mod unknown_devices;
mod unnameable;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Asterisk, Bridge, binary};

/// One organization with these queues, as TOML, each named like its queue on the PBX.
/// Its user is [`ACME`](crate::support::ACME).
fn configuration(ami_port: u16, queues: &str, resync_interval: &str) -> String {
    format!(
        r#"
[http]
listen = "127.0.0.1:0"

[admin]
listen = "127.0.0.1:0"

[log]
level = "info,ami_bridge=trace"

[pbx.main]
address = "127.0.0.1:{ami_port}"
username = "queuebridge"
secret = "sample-secret-change-me"
action_timeout = "3s"
resync_interval = "{resync_interval}"

[organization.acme]
queues = [{queues}]
queue_name = "{{queue}}"
agents = ["1001-1099"]
interface = "Local/{{agent}}@acme-agents"

[[organization.acme.user]]
username = "acme@example.com"
password = "acme-password"
"#
    )
}

/// The usual two organizations, with another resync interval.
fn with_resync(configuration: &str, interval: &str) -> String {
    let section = format!("[pbx.main]\nresync_interval = \"{interval}\"");
    configuration.replace("[pbx.main]", &section)
}

/// The interface of that agent of acme.
fn interface(agent: u16) -> String {
    format!("Local/{agent}@acme-agents")
}

/// Adds an agent by a session other than the bridge's.
fn add(asterisk: &Asterisk, queue: &str, agent: u16) {
    let answer = asterisk.ami().message(&format!(
        "QueueAdd\r\nQueue: {queue}\r\nInterface: {}",
        interface(agent)
    ));
    assert_eq!(answer, "Success: Added interface to queue");
}

/// The agents of acme that `queue show` has in a queue.
fn shown_by_asterisk(asterisk: &Asterisk, queue: &str) -> BTreeSet<String> {
    let text = asterisk.cli(&format!("queue show {queue}"));
    // In brackets, or without them where it is the name as well.
    let words = text.split(['(', ')', ' ', '\n']);
    words
        .filter_map(|interface| interface.strip_prefix("Local/"))
        .filter_map(|rest| rest.strip_suffix("@acme-agents"))
        .map(str::to_owned)
        .collect()
}

/// The agents of a queue, or of a `queue` entry of an answer.
fn agents(queue: &Value) -> BTreeSet<String> {
    let members = queue["members"].as_array().expect("members").iter();
    members
        .map(|member| member["agent"].as_str().unwrap_or("?").to_owned())
        .collect()
}

/// Runs all cases at once, and waits for them: most of a test's time is waiting.
fn each<T: Copy + Send>(cases: &[T], test: impl Fn(T) + Sync) {
    let test = &test;
    std::thread::scope(|scope| {
        let run = |case: &T| {
            let case = *case;
            scope.spawn(move || test(case))
        };
        let running: Vec<_> = cases.iter().map(run).collect();
        for case in running {
            if let Err(panic) = case.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

fn set(agents: &[&str]) -> BTreeSet<String> {
    agents.iter().map(ToString::to_string).collect()
}

/// The WARN lines of the log so far.
fn warnings(bridge: &Bridge) -> Vec<String> {
    let log = bridge.log();
    let lines = log.lines().filter(|line| {
        let json: Value = serde_json::from_str(line).unwrap_or_default();
        json["level"] == "WARN"
    });
    lines.map(str::to_owned).collect()
}

/// Runs `ami-bridge check --json` with more arguments; returns its exit status and its
/// report.
fn check(configuration: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    std::fs::write(&file, configuration).expect("written");
    let mut command = binary();
    command.args(["check", "--json", "--config"]).arg(file);
    let output = command.args(arguments).output().expect("the program");
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&text);
    let report = report.unwrap_or_else(|_| panic!("no JSON: {output:?}"));
    (output.status.code(), report)
}
