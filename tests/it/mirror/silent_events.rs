//! Events that never come are noticed, by the daemon and by `check`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{add, check, each, interface, warnings, with_resync};
use crate::support::{
    Asterisk, Bridge, bridge_command, configuration, eventually, on_both_versions, request,
    sample_config,
};

on_both_versions!(
    events_that_never_come_are_noticed,
    events_that_come_are_noticed,
    a_silent_reload_is_no_sign_of_missing_events,
    check_says_that_it_could_not_verify_events,
    a_probe_sees_the_event_and_changes_nothing,
    a_probe_sees_that_no_event_comes,
    a_probe_needs_a_member,
);

const RESYNC: &str = "2s";

/// A resync, and what a busy machine may take besides.
const WITHIN_A_RESYNC: Duration = Duration::from_secs(4);

/// An Asterisk whose manager.conf has these texts replaced.
fn start(version: u32, replacements: &[(&str, &str)]) -> Asterisk {
    let mut manager = sample_config("manager.conf");
    for (from, to) in replacements {
        assert!(manager.contains(from), "{from}");
        manager = manager.replace(from, to);
    }
    manager += "\n[tester]\nsecret = tester-secret\nread = all\nwrite = agent,command,system\n";
    Asterisk::start_with(version, &[("manager.conf", &manager)])
}

/// The bridge's user sees system events only.
pub(super) fn without_agent_events(version: u32) -> Asterisk {
    start(version, &[("read = agent,system\n", "read = system\n")])
}

/// The bridge's user has no member events, though it reads the class.
fn with_filter(version: u32) -> Asterisk {
    let filter = "read = agent,system\neventfilter = !Event: QueueMember.*\n";
    start(version, &[("read = agent,system\n", filter)])
}

/// Nobody has member events. 16.28 and 22.10 both know the setting.
fn with_disabled_events(version: u32) -> Asterisk {
    let disabled = "[general]\ndisabledevents = QueueMemberAdded,QueueMemberRemoved,\
                    QueueMemberPause,QueueMemberPenalty,QueueMemberStatus\n";
    start(version, &[("[general]\n", disabled)])
}

/// What `/readyz` and `/metrics` say of the PBX's events.
fn reported(bridge: &Bridge) -> (Value, Option<String>) {
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

/// Events are unknown at first, and missing within a resync after a change elsewhere.
fn assert_noticed(asterisk: &Asterisk) {
    let bridge = Bridge::start(&with_resync(&configuration(asterisk.port), RESYNC));
    let (events, metric) = reported(&bridge);
    assert_eq!((events, metric), (json!("unknown"), Some("0".to_owned())));
    assert_eq!(missing_warnings(&bridge), 0);
    add(asterisk, "acme-6001", 1001);
    let changed = Instant::now();
    eventually("the change shows", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        (state["state"] == "available").then_some(())
    });
    let expected = (json!("missing"), Some("1".to_owned()));
    while reported(&bridge) != expected {
        let reported = reported(&bridge);
        assert!(changed.elapsed() < WITHIN_A_RESYNC, "{reported:?}");
    }
    eventually("a warning", || {
        (missing_warnings(&bridge) == 1).then_some(())
    });
    // Once is enough.
    add(asterisk, "acme-6002", 1001);
    eventually("the next change shows", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        (state["queues"].as_array()?.len() == 2).then_some(())
    });
    assert_eq!(missing_warnings(&bridge), 1);
    assert_eq!(reported(&bridge), expected);
}

fn events_that_never_come_are_noticed(version: u32) {
    let starts = [without_agent_events, with_filter, with_disabled_events];
    each(&starts, |start| assert_noticed(&start(version)));
}

fn events_that_come_are_noticed(version: u32) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&with_resync(&configuration(asterisk.port), RESYNC));
    assert_eq!(reported(&bridge), (json!("unknown"), Some("0".to_owned())));
    add(&asterisk, "acme-6001", 1001);
    eventually("the event is seen", || {
        (reported(&bridge) == (json!("seen"), Some("0".to_owned()))).then_some(())
    });
}

/// `queue reload` changes members without an event on every PBX.
fn a_silent_reload_is_no_sign_of_missing_events(version: u32) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&with_resync(&configuration(asterisk.port), RESYNC));
    add(&asterisk, "acme-6001", 1001);
    let seen = (json!("seen"), Some("0".to_owned()));
    eventually("the event is seen", || {
        (reported(&bridge) == seen).then_some(())
    });
    let queues = sample_config("queues.conf") + "member => Local/1002@acme-agents\n";
    let queues = queues + "\n[acme-6001](+)\nmember => Local/1003@acme-agents\n";
    asterisk.write_config("queues.conf", &queues);
    asterisk.cli("queue reload all");
    eventually("the reload shows", || {
        let state = bridge.acme_ok("action=showstate&agent=1003");
        (state["state"] == "available").then_some(())
    });
    assert_eq!(reported(&bridge), seen);
    assert_eq!(missing_warnings(&bridge), 0);
}

fn events_of(report: &Value) -> &Value {
    &report["pbxes"][0]["events"]
}

fn check_says_that_it_could_not_verify_events(version: u32) {
    let asterisk = Asterisk::start(version);
    let text = configuration(asterisk.port);
    asterisk.take_queue_log();
    let (status, report) = check(&text, &[]);
    assert_eq!(
        (status, events_of(&report)),
        (Some(0), &json!("unverified"))
    );
    // It changes nothing.
    assert_eq!(asterisk.take_queue_log(), "");
    let text = text_of_check(&text, &[]);
    assert!(text.contains("--probe"), "{text}");
}

/// What `check` prints for people.
fn text_of_check(configuration: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    std::fs::write(&file, configuration).expect("written");
    let mut command = bridge_command();
    command.arg("check").args(arguments).arg("--config");
    let output = command.arg(file).output().expect("the program");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// All members, as Asterisk lists them.
fn members(asterisk: &Asterisk) -> Vec<crate::support::AmiMessage> {
    let rows = asterisk.ami().queue_status("").into_iter();
    rows.filter(|row| row["Event"] == "QueueMember").collect()
}

/// Runs `check --probe`, and asserts that it wrote one row and left all members as they
/// were; returns its exit status, its report and the row.
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

fn a_probe_sees_the_event_and_changes_nothing(version: u32) {
    let queues = sample_config("queues.conf").replace("agents,0,Static", "agents,7,Static");
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    let (status, report, row) = probe(&asterisk);
    assert_eq!((status, events_of(&report)), (Some(0), &json!("seen")));
    // 16.28 and 22.10: `time|NONE|queue|interface|PENALTY|penalty`.
    assert!(
        row.contains("|acme-6002|") && row.trim_end().ends_with("|PENALTY|7"),
        "{row}"
    );
    let warnings = report["warnings"].to_string();
    assert!(!warnings.contains("event"), "{warnings}");

    // The member may be a paused one with a reason, and dynamic.
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &without_sam())]);
    let answer = asterisk.ami().reply_text(&format!(
        "QueueAdd\r\nQueue: globex-6002\r\nInterface: {}\r\nPenalty: 3\r\nPaused: true",
        interface(1001)
    ));
    assert_eq!(answer, "Success: Added interface to queue");
    let (status, report, _) = probe(&asterisk);
    assert_eq!((status, events_of(&report)), (Some(0), &json!("seen")));
}

fn a_probe_sees_that_no_event_comes(version: u32) {
    let starts = [without_agent_events, with_filter];
    each(&starts, |start| {
        let asterisk = start(version);
        let (_, report, _) = probe(&asterisk);
        assert_eq!(events_of(&report), "missing", "{report}");
        let said = report["errors"].to_string() + &report["warnings"].to_string();
        assert!(said.contains("manager.conf"), "{said}");
        assert!(said.contains("read = agent,system"), "{said}");
    });
}

/// The sample's queues without their static member.
fn without_sam() -> String {
    let queues = sample_config("queues.conf");
    let lines = queues.lines().filter(|line| !line.starts_with("member"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn a_probe_needs_a_member(version: u32) {
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &without_sam())]);
    asterisk.take_queue_log();
    let text = configuration(asterisk.port);
    let (status, report) = check(&text, &["--probe"]);
    assert_eq!(
        (status, events_of(&report)),
        (Some(0), &json!("unverified"))
    );
    let warnings = report["warnings"].to_string();
    assert!(warnings.contains("member"), "{report}");
    assert_eq!(asterisk.take_queue_log(), "");
}
