//! The daemon and `ami-bridge check` detect when Asterisk sends no member events.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{add_elsewhere, check, interface, run_in_parallel, warnings, with_resync};
use crate::support::{
    Asterisk, Bridge, bridge_command, configuration, eventually, on_both_versions, request,
    sample_config,
};

on_both_versions!(
    bridge_reports_missing_events,
    bridge_reports_events_as_seen,
    reload_without_events_does_not_count_as_missing_events,
    check_without_probe_reports_events_as_unverified,
    probe_sees_the_event_and_changes_nothing,
    probe_reports_missing_events,
    probe_without_a_member_reports_events_as_unverified,
);

const RESYNC_INTERVAL: &str = "2s";

/// The resync interval, plus a tolerance for busy machines.
const RESYNC_TIMEOUT: Duration = Duration::from_secs(8);

/// Starts an Asterisk with text replacements in `manager.conf`.
fn start(version: u32, replacements: &[(&str, &str)]) -> Asterisk {
    let mut manager = sample_config("manager.conf");
    for (from, to) in replacements {
        assert!(manager.contains(from), "{from}");
        manager = manager.replace(from, to);
    }
    manager += "\n[tester]\nsecret = tester-secret\nread = all\nwrite = agent,command,system\n";
    Asterisk::start_with(version, &[("manager.conf", &manager)])
}

/// Starts an Asterisk in which the bridge's AMI user receives only system events.
pub(super) fn start_without_agent_events(version: u32) -> Asterisk {
    start(version, &[("read = agent,system\n", "read = system\n")])
}

/// Starts an Asterisk in which a filter drops member events for the bridge's AMI user,
/// although the user has `read = agent`.
fn start_with_filter(version: u32) -> Asterisk {
    let filter = "read = agent,system\neventfilter = !Event: QueueMember.*\n";
    start(version, &[("read = agent,system\n", filter)])
}

/// Starts an Asterisk that does not send member events to any user. Asterisk 16.28 and 22.10
/// both support the setting `disabledevents`.
fn start_with_disabled_events(version: u32) -> Asterisk {
    let disabled = "[general]\ndisabledevents = QueueMemberAdded,QueueMemberRemoved,\
                    QueueMemberPause,QueueMemberPenalty,QueueMemberStatus\n";
    start(version, &[("[general]\n", disabled)])
}

/// Returns the state of member events in `/readyz` and in `/metrics`.
fn event_state(bridge: &Bridge) -> (Value, Option<String>) {
    let ready = request(bridge.admin, "GET", "/readyz", &[], b"");
    assert_eq!(ready.status, 200, "{ready:?}");
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let name = "ami_bridge_events_missing{pbx=\"main\"} ";
    let value = metrics.lines().find_map(|line| line.strip_prefix(name));
    (
        ready.json()["pbx"]["main"]["events"].clone(),
        value.map(str::to_owned),
    )
}

fn missing_warnings(bridge: &Bridge) -> usize {
    let lines = warnings(bridge).into_iter();
    lines
        .filter(|line| line.contains("manager.conf") && line.contains("agent,system"))
        .count()
}

/// Asserts that the bridge initially reports events as unknown. After a change from another
/// session, the bridge must report them as missing within a resync.
fn assert_missing_events_are_reported(asterisk: &Asterisk) {
    let bridge = Bridge::start(&with_resync(&configuration(asterisk.port), RESYNC_INTERVAL));
    let (events, metric) = event_state(&bridge);
    assert_eq!((events, metric), (json!("unknown"), Some("0".to_owned())));
    assert_eq!(missing_warnings(&bridge), 0);
    add_elsewhere(asterisk, "acme-6001", 1001);
    let changed_at = Instant::now();
    eventually("the change is shown", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        (state["state"] == "available").then_some(())
    });
    let expected = (json!("missing"), Some("1".to_owned()));
    while event_state(&bridge) != expected {
        let state = event_state(&bridge);
        assert!(changed_at.elapsed() < RESYNC_TIMEOUT, "{state:?}");
    }
    eventually("a warning is logged", || {
        (missing_warnings(&bridge) == 1).then_some(())
    });
    // The bridge does not repeat the warning.
    add_elsewhere(asterisk, "acme-6002", 1001);
    eventually("the next change is shown", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        (state["queues"].as_array()?.len() == 2).then_some(())
    });
    assert_eq!(missing_warnings(&bridge), 1);
    assert_eq!(event_state(&bridge), expected);
}

fn bridge_reports_missing_events(version: u32) {
    let starts = [
        start_without_agent_events,
        start_with_filter,
        start_with_disabled_events,
    ];
    run_in_parallel(&starts, |start| {
        assert_missing_events_are_reported(&start(version))
    });
}

fn bridge_reports_events_as_seen(version: u32) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&with_resync(&configuration(asterisk.port), RESYNC_INTERVAL));
    assert_eq!(
        event_state(&bridge),
        (json!("unknown"), Some("0".to_owned()))
    );
    add_elsewhere(&asterisk, "acme-6001", 1001);
    eventually("the event is seen", || {
        (event_state(&bridge) == (json!("seen"), Some("0".to_owned()))).then_some(())
    });
}

/// Asterisk never sends events when `queue reload` changes members, so a missing event reveals
/// nothing about the AMI user's settings.
fn reload_without_events_does_not_count_as_missing_events(version: u32) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&with_resync(&configuration(asterisk.port), RESYNC_INTERVAL));
    add_elsewhere(&asterisk, "acme-6001", 1001);
    let seen = (json!("seen"), Some("0".to_owned()));
    eventually("the event is seen", || {
        (event_state(&bridge) == seen).then_some(())
    });
    let queues = sample_config("queues.conf") + "member => Local/1002@acme-agents\n";
    let queues = queues + "\n[acme-6001](+)\nmember => Local/1003@acme-agents\n";
    asterisk.write_config("queues.conf", &queues);
    asterisk.cli("queue reload all");
    eventually("the new member is shown", || {
        let state = bridge.acme_ok("action=showstate&agent=1003");
        (state["state"] == "available").then_some(())
    });
    assert_eq!(event_state(&bridge), seen);
    assert_eq!(missing_warnings(&bridge), 0);
}

fn reported_events(report: &Value) -> &Value {
    &report["pbxes"][0]["events"]
}

fn check_without_probe_reports_events_as_unverified(version: u32) {
    let asterisk = Asterisk::start(version);
    let text = configuration(asterisk.port);
    asterisk.take_queue_log();
    let (status, report) = check(&text, &[]);
    assert_eq!(
        (status, reported_events(&report)),
        (Some(0), &json!("unverified"))
    );
    // `check` without `--probe` changes nothing.
    assert_eq!(asterisk.take_queue_log(), "");
    let output = check_output(&text, &[]);
    assert!(output.contains("--probe"), "{output}");
}

/// Runs `check` without `--json`. Returns its output.
fn check_output(configuration: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    std::fs::write(&file, configuration).expect("written");
    let mut command = bridge_command();
    command.arg("check").args(arguments).arg("--config");
    let output = command.arg(file).output().expect("an executable program");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Returns Asterisk's rows for all members.
fn members(asterisk: &Asterisk) -> Vec<crate::support::AmiMessage> {
    let rows = asterisk.ami().queue_status("").into_iter();
    rows.filter(|row| row["Event"] == "QueueMember").collect()
}

/// Runs `check --probe`. Asserts that it added one line to `queue_log` and changed no member.
/// Returns the exit status, the report and the line.
fn probe(asterisk: &Asterisk) -> (Option<i32>, Value, String) {
    let before = members(asterisk);
    asterisk.take_queue_log();
    let (status, report) = check(&configuration(asterisk.port), &["--probe"]);
    let log = asterisk.take_queue_log();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("|PENALTY|"), "{log}");
    assert_eq!(members(asterisk), before);
    (status, report, log)
}

fn probe_sees_the_event_and_changes_nothing(version: u32) {
    let queues = sample_config("queues.conf").replace("agents,0,Static", "agents,7,Static");
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    let (status, report, line) = probe(&asterisk);
    assert_eq!(
        (status, reported_events(&report)),
        (Some(0), &json!("seen"))
    );
    // Asterisk 16.28 and 22.10 write `time|NONE|queue|interface|PENALTY|penalty`.
    assert!(
        line.contains("|acme-6002|") && line.trim_end().ends_with("|PENALTY|7"),
        "{line}"
    );
    let warnings = report["warnings"].to_string();
    assert!(!warnings.contains("event"), "{warnings}");

    // The probe also works with a paused dynamic member.
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues_without_members())]);
    let reply = asterisk.ami().reply_text(&format!(
        "QueueAdd\r\nQueue: globex-6002\r\nInterface: {}\r\nPenalty: 3\r\nPaused: true",
        interface(1001)
    ));
    assert_eq!(reply, "Success: Added interface to queue");
    let (status, report, _) = probe(&asterisk);
    assert_eq!(
        (status, reported_events(&report)),
        (Some(0), &json!("seen"))
    );
}

fn probe_reports_missing_events(version: u32) {
    let starts = [start_without_agent_events, start_with_filter];
    run_in_parallel(&starts, |start| {
        let asterisk = start(version);
        let (_, report, _) = probe(&asterisk);
        assert_eq!(reported_events(&report), "missing", "{report}");
        let text = report["errors"].to_string() + &report["warnings"].to_string();
        assert!(text.contains("manager.conf"), "{text}");
        assert!(text.contains("read = agent,system"), "{text}");
    });
}

/// Returns the sample `queues.conf` without its static member.
fn queues_without_members() -> String {
    let queues = sample_config("queues.conf");
    let lines = queues.lines().filter(|line| !line.starts_with("member"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn probe_without_a_member_reports_events_as_unverified(version: u32) {
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues_without_members())]);
    asterisk.take_queue_log();
    let text = configuration(asterisk.port);
    let (status, report) = check(&text, &["--probe"]);
    assert_eq!(
        (status, reported_events(&report)),
        (Some(0), &json!("unverified"))
    );
    let warnings = report["warnings"].to_string();
    assert!(warnings.contains("member"), "{report}");
    assert_eq!(asterisk.take_queue_log(), "");
}
