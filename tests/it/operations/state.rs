//! `[state]`: the directory of what must survive a restart, and what happens if it can't be used.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{
    Asterisk, Bridge, SIMULATED, bridge_command, configuration, eventually, request,
};

fn configuration_with_state(port: u16, directory: &Path) -> String {
    format!(
        "[state]\ndirectory = {directory:?}\n{}",
        configuration(port)
    )
}

/// Returns the HTTP status of `/readyz`, and its key `storage`.
fn storage_in_readyz(bridge: &Bridge) -> (u16, Value) {
    let response = request(bridge.admin, "GET", "/readyz", &[], b"");
    (response.status, response.json()["storage"].clone())
}

fn metric(bridge: &Bridge, name: &str) -> f64 {
    let text = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.and_then(|value| value.parse().ok()).expect("a value")
}

/// Runs the program until it exits. Returns its exit status and everything that it has written.
fn run(mut command: Command, configuration: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    fs::write(&file, configuration).expect("a writable file");
    let output = command.arg("--config").arg(file).output();
    let output = output.expect("the output of ami-bridge");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("UTF-8");
    (output.status.code(), text)
}

#[test]
fn directory_belongs_to_one_bridge_until_it_is_killed() {
    let asterisk = Asterisk::start(SIMULATED);
    let parent = tempfile::tempdir().expect("a folder");
    let directory = parent.path().join("state");
    let configuration = configuration_with_state(asterisk.port, &directory);
    let bridge = Bridge::start(&configuration);
    assert!(bridge.log().contains("the state is stored on disk"));
    eventually("the storage is ready", || {
        let ok = json!({"state": "ok", "reason": null});
        (storage_in_readyz(&bridge) == (200, ok)).then_some(())
    });
    let (status, text) = run(bridge_command(), &configuration);
    assert_eq!(status, Some(1), "{text}");
    let expected = format!(
        "ami-bridge: state.directory: another ami-bridge process uses the state directory {}\n",
        directory.display()
    );
    assert!(text.ends_with(&expected), "{text}");
    // This kills the bridge with SIGKILL.
    drop(bridge);
    Bridge::start(&configuration);
}

#[test]
fn broken_database_prevents_neither_the_start_nor_the_recovery() {
    let asterisk = Asterisk::start(SIMULATED);
    let directory = tempfile::tempdir().expect("a folder");
    let file = directory.path().join("state.db");
    fs::write(&file, "garbage".repeat(1000)).expect("a writable file");
    let bridge = Bridge::start(&configuration_with_state(asterisk.port, directory.path()));
    let (status, storage) = eventually("the storage is unavailable", || {
        let found = storage_in_readyz(&bridge);
        let is_found = found.1["reason"].to_string().contains("not a database");
        is_found.then_some(found)
    });
    assert_eq!((status, &storage["state"]), (200, &json!("unavailable")));
    assert_eq!(metric(&bridge, "ami_bridge_storage_up"), 0.0);
    assert!(metric(&bridge, "ami_bridge_storage_errors_total") >= 1.0);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1");
    fs::remove_file(&file).expect("it exists");
    eventually("the storage has recovered", || {
        (storage_in_readyz(&bridge).1["state"] == "ok").then_some(())
    });
    assert_eq!(metric(&bridge, "ami_bridge_storage_up"), 1.0);
    let log = bridge.log();
    for message in [
        "the state can't be stored: pauses with an end are refused until it can",
        "the state can be stored again",
    ] {
        assert_eq!(log.matches(message).count(), 1, "{message}");
    }
}

#[test]
fn bridge_without_a_directory_has_its_state_in_memory() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    let expected = json!({"state": "memory", "reason": null});
    assert_eq!(storage_in_readyz(&bridge), (200, expected));
    assert_eq!(metric(&bridge, "ami_bridge_storage_up"), 1.0);
    assert!(bridge.log().contains("the state is stored in memory only"));
}

#[test]
fn service_uses_the_first_directory_that_systemd_names() {
    let asterisk = Asterisk::start(SIMULATED);
    let parent = tempfile::tempdir().expect("a folder");
    let [first, second, configured] =
        ["first", "second", "configured"].map(|name| parent.path().join(name));
    let systemd = format!("{}:{}", first.display(), second.display());
    let start = |configuration: &str| {
        let mut command = bridge_command();
        command.env("STATE_DIRECTORY", &systemd);
        Bridge::start_command(command, configuration)
    };
    let bridge = start(&configuration(asterisk.port));
    eventually("the database exists", || {
        first.join("state.db").exists().then_some(())
    });
    assert!(!second.exists());
    // The key takes precedence, so this is another directory.
    let other = start(&configuration_with_state(asterisk.port, &configured));
    eventually("the database exists", || {
        configured.join("state.db").exists().then_some(())
    });
    drop((bridge, other));
}

#[test]
fn check_reports_where_the_state_is_stored() {
    let asterisk = Asterisk::start(SIMULATED);
    let parent = tempfile::tempdir().expect("a folder");
    let directory = parent.path().join("state");
    let in_directory = configuration_with_state(asterisk.port, &directory);
    let check = |configuration: &str, option: Option<&str>| {
        let mut command = bridge_command();
        command.arg("check").args(option);
        run(command, configuration)
    };
    let assert_reported = |status: &str, text: &str| {
        let (code, json) = check(&in_directory, Some("--json"));
        assert_eq!(code, Some(0), "{json}");
        let report: Value = serde_json::from_str(&json).expect("JSON");
        let state = &report["state"];
        assert_eq!(state["directory"], json!(directory));
        assert_eq!(state["status"], status, "{state}");
        let (code, found) = check(&in_directory, None);
        assert_eq!(code, Some(0), "{found}");
        let line = format!("state: {}: {text}\n", directory.display());
        assert!(found.contains(&line), "{found}");
        found
    };
    let (_, text) = check(&configuration(asterisk.port), None);
    assert!(text.contains("state: in memory only"), "{text}");
    assert_reported(
        "missing",
        "does not exist yet; the bridge creates it at startup",
    );
    assert!(!directory.exists());
    let bridge = Bridge::start(&in_directory);
    assert_reported("in_use", "the running bridge uses it");
    drop(bridge);
    assert_reported("ok", "this user can store the state");
    fs::write(directory.join("state.db"), "garbage").expect("a writable file");
    let text = assert_reported("unavailable", "not usable, see the warning");
    assert!(text.contains("state.db: is not a database"), "{text}");
}

#[test]
fn days_work_is_kept_for_whole_days() {
    let load = |keep: &str| {
        let text = format!("{}\n[state]\nkeep = \"{keep}\"\n", configuration(9));
        ami_bridge::config::load_text("t", &text)
    };
    for (keep, days) in [("1d", 1), ("400d", 400), ("3660d", 3660)] {
        let settings = load(keep).expect(keep);
        assert_eq!(settings.state.keep.as_secs(), days * 24 * 60 * 60);
    }
    for keep in ["", "0d", "3661d", "+5d", "1.5d", "d", "24h", " 1d", "-1d"] {
        let error = load(keep).expect_err(keep).to_string();
        assert!(error.contains("state.keep: must be whole days"), "{error}");
    }
}
