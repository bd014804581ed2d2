//! The log and `check` report the system's limits that are too low for the configuration, and the
//! log reports connections that approach their limit.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::stream::client::EventClient;
use crate::support::{ACME, Asterisk, Bridge, SIMULATED, configuration, eventually, write_script};

/// More connections than any limit allows in [`limited_command`]: there are 65,535 ports.
const MANY_CONNECTIONS: &str = "max_connections = 300000";

const LOG_PREFIX: &str = "system limit too low: ";

/// Returns a command that runs the bridge with 256 file descriptors. It finds only the programs in
/// `programs`.
fn limited_command(programs: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    let program = env!("CARGO_BIN_EXE_ami-bridge");
    command.args(["-c", "ulimit -n 256; exec \"$0\" \"$@\"", program]);
    command.env("PATH", programs);
    command.env_remove("AMI_BRIDGE_CONFIG");
    command.env_remove("STATE_DIRECTORY");
    command
}

fn configuration_with_limit(asterisk: &Asterisk, max_connections: &str) -> String {
    configuration(asterisk.port).replace("[http]", &format!("[http]\n{max_connections}"))
}

/// Runs `ami-bridge check --json`, and returns the report's warnings about limits.
fn check_warnings(programs: &Path, configuration: &str) -> Vec<String> {
    let file = programs.join("bridge.toml");
    std::fs::write(&file, configuration).expect("a writable file");
    let mut command = limited_command(programs);
    command.args(["check", "--json", "--config"]).arg(file);
    let output = command.output().expect("the output of ami-bridge");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let warnings = report["warnings"].as_array().expect("warnings").iter();
    let texts = warnings.filter_map(Value::as_str);
    let about_limits = texts.filter(|text| text.contains("http.max_connections = "));
    about_limits.map(str::to_owned).collect()
}

/// Returns the log lines whose message starts with `start`.
fn lines_starting_with(log: &str, start: &str) -> Vec<Value> {
    let lines = log.lines().map(serde_json::from_str::<Value>);
    let matches = |line: &Value| {
        let message = line["message"].as_str();
        message.is_some_and(|message| message.starts_with(start))
    };
    lines.flatten().filter(matches).collect()
}

fn logged_shortages(bridge: &Bridge) -> Vec<String> {
    let lines = lines_starting_with(&bridge.log(), LOG_PREFIX).into_iter();
    let texts = lines.filter_map(|line| Some(line["message"].as_str()?[LOG_PREFIX.len()..].into()));
    texts.collect()
}

#[test]
fn check_and_log_report_each_limit_that_is_too_low_once() {
    let asterisk = Asterisk::start(SIMULATED);
    let folder = tempfile::tempdir().expect("a folder");
    let configuration = configuration_with_limit(&asterisk, MANY_CONNECTIONS);
    let bridge = Bridge::start_command(limited_command(folder.path()), &configuration);
    let logged = logged_shortages(&bridge);
    assert_eq!(logged, check_warnings(folder.path(), &configuration));
    for subject in [
        "only 256 file descriptors",
        "net.core.somaxconn is ",
        "net.ipv4.ip_local_port_range has ",
    ] {
        let count = logged.iter().filter(|text| text.contains(subject)).count();
        assert_eq!(count, 1, "{subject}: {logged:?}");
    }
}

#[test]
fn reload_reports_the_limits_that_are_too_low_for_the_new_configuration() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration_with_limit(&asterisk, "max_connections = 10"));
    assert_eq!(logged_shortages(&bridge), Vec::<String>::new());
    bridge.reconfigure(&configuration_with_limit(&asterisk, MANY_CONNECTIONS));
    let logged = logged_shortages(&bridge);
    let is_about_ports =
        |text: &String| text.contains("http.max_connections = 300000 needs 300000");
    assert!(logged.iter().any(is_about_ports), "{logged:?}");
}

/// Writes a `systemctl` that reports `limit` as the unit's limit.
fn write_systemctl(folder: &Path, limit: &str) {
    let file = folder.join("systemctl");
    let script = format!("#!/bin/sh\necho LoadState=loaded\necho LimitNOFILE={limit}\n");
    write_script(&file, &script);
}

#[test]
fn check_compares_the_limit_of_the_packaged_unit() {
    let asterisk = Asterisk::start(SIMULATED);
    let folder = tempfile::tempdir().expect("a folder");
    let configuration = configuration_with_limit(&asterisk, "max_connections = 1000");
    // The process itself may open 256.
    for (limit, expected) in [
        ("1024", Some("only 1024 ")),
        ("8192", None),
        ("infinity", None),
    ] {
        write_systemctl(folder.path(), limit);
        let warnings = check_warnings(folder.path(), &configuration);
        let mut found = warnings.iter();
        let found = found.find(|text| text.contains("file descriptors"));
        assert_eq!(found.is_some(), expected.is_some(), "{limit}: {warnings:?}");
        let text = found.map_or("", String::as_str);
        assert!(text.contains(expected.unwrap_or_default()), "{text}");
    }
}

#[test]
fn log_warns_once_when_connections_approach_their_limit() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration_with_limit(&asterisk, "max_connections = 10"));
    let open = || EventClient::open(bridge.address, ACME, "");
    let mut streams: Vec<_> = (0..7).map(|_| open()).collect();
    let warnings = || lines_starting_with(&bridge.log(), "connections approach their limit");
    assert_eq!(warnings(), Vec::<Value>::new());
    streams.push(open());
    let first = eventually("the warning", || warnings().first().cloned());
    assert_eq!(first["level"], "WARN");
    assert_eq!(first["listener"], "api");
    assert_eq!(first["connections"], 8);
    assert_eq!(first["limit"], 10);
    streams.push(open());
    streams.push(open());
    eventually("the connection limit is reached", || {
        let log = bridge.log();
        log.contains("connection limit reached").then_some(())
    });
    assert_eq!(warnings().len(), 1);
}
