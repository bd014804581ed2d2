//! The state directory: what the bridge does while it can't store the end of a pause.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{REASONS, Scene, parse_time, pause_in_asterisk, stored_configuration};
use crate::support::{
    ACME, Asterisk, Bridge, Network, Response, SIMULATED, bridge_command, configuration,
    eventually, on_every_pbx, request, with_reasons,
};

on_every_pbx!(
    garbage_in_the_database_costs_only_timed_pauses,
    second_bridge_with_the_same_directory_does_not_start,
    bridge_without_a_directory_says_so_and_ends_pauses,
);

mod unshared {
    use super::unshare_full_directory_costs_only_timed_pauses;
    crate::support::on_every_pbx!(unshare_full_directory_costs_only_timed_pauses);
}

/// The number of agents that are paused until the full disk is noticed. A database may have
/// space left for some of them.
const AGENTS: std::ops::Range<u16> = 1001..1050;

fn readyz(bridge: &Bridge) -> Response {
    request(bridge.admin, "GET", "/readyz", &[], b"")
}

/// Returns the state of the storage in `/readyz`, whose status must be 200.
fn storage(bridge: &Bridge) -> String {
    let response = readyz(bridge);
    assert_eq!(response.status, 200, "/readyz must stay 200: {response:?}");
    let state = response.json()["storage"]["state"].clone();
    let state = state.as_str();
    let state = state.unwrap_or_else(|| panic!("/readyz has `storage`: {response:?}"));
    state.to_owned()
}

fn wait_for_storage(bridge: &Bridge) {
    eventually("/readyz reports that the storage works", || {
        (storage(bridge) == "ok").then_some(())
    });
}

fn pause(bridge: &Bridge, agent: u16, duration: &str) -> Response {
    let query = format!("action=pause&agent={agent}&queue=6001&reason=Tea{duration}");
    bridge.get_as(ACME, &query)
}

/// Asserts that timed pauses are refused, are not sent, and that everything else works.
fn assert_unavailable(asterisk: &Asterisk, bridge: &Bridge, agent: u16) {
    asterisk.take_queue_log();
    for query in [
        "action=pause&queue=6001&reason=Tea&duration=5",
        "action=pause&duration=5",
        "action=pause&queue=6001&reason=Lunch",
        "action=add&queue=6002&paused=1&duration=5",
    ] {
        let response = bridge.get_as(ACME, &format!("{query}&agent={agent}"));
        assert_eq!(response.outcome(), "503 storage_unavailable", "{query}");
        let retry = response.header("Retry-After");
        let seconds = retry.and_then(|seconds| seconds.parse::<u32>().ok());
        assert!(seconds.is_some(), "{query}: Retry-After: {response:?}");
    }
    let log = asterisk.queue_log();
    assert_eq!(log, "", "nothing may be sent while the end can't be stored");
    // Membership is checked before storage.
    for (query, expected) in [
        ("action=pause&agent=1060&duration=5", "404 not_a_member"),
        (
            "action=pause&agent=1060&queue=6001&duration=5",
            "404 not_a_member",
        ),
        (
            "action=pause&agent=1001&queue=9999&duration=5",
            "404 unknown_queue",
        ),
        (
            "action=pause&agent=1001&duration=0",
            "400 invalid_parameter",
        ),
        (
            "action=add&agent=1001&queue=6001&paused=1&duration=5",
            "409 already_member",
        ),
    ] {
        let outcome = bridge.get_as(ACME, query).outcome();
        assert_eq!(outcome, expected, "{query}");
    }
    for query in [
        "action=pause&queue=6001&reason=Tea",
        "action=unpause&queue=6001",
        "action=add&queue=6002",
        "action=remove&queue=6002",
        "action=showstate",
    ] {
        let response = bridge.get_as(ACME, &format!("{query}&agent={agent}"));
        assert_eq!(response.outcome(), "200 success", "{query}: {response:?}");
    }
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    assert!(
        metrics.lines().any(|line| line.contains("storage")),
        "a metric reports the storage: {metrics}"
    );
    assert!(
        bridge.log().contains("storage"),
        "the log reports the storage"
    );
}

/// Replaces the databases of a folder with garbage, and returns their paths.
fn break_databases(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a state directory");
    let paths = entries.map(|entry| entry.expect("a file").path());
    let mut broken = Vec::new();
    for path in paths {
        let name = path.to_string_lossy().into_owned();
        if name.ends_with("-wal") || name.ends_with("-shm") {
            std::fs::remove_file(&path).expect("removed");
        } else if std::fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3")) {
            std::fs::write(&path, [0x55; 10_000]).expect("written");
            broken.push(path);
        }
    }
    assert!(!broken.is_empty(), "no database in {}", folder.display());
    broken
}

fn garbage_in_the_database_costs_only_timed_pauses(version: u32) {
    let mut scene = Scene::start(version, &[]);
    scene.bridge().acme_ok("action=add&agent=1001&queue=6001");
    wait_for_storage(scene.bridge());
    let bridge = scene.bridge.take().expect("a running bridge");
    assert!(bridge.stop().0.success());
    let broken = break_databases(scene.state.path());
    scene.restart_bridge();
    assert_unavailable(&scene.asterisk, scene.bridge(), 1001);
    assert_eq!(
        storage(scene.bridge()),
        "unavailable",
        "/readyz reports the garbage"
    );
    assert!(
        broken.iter().all(|path| path.exists()),
        "the bridge must not delete what may be repaired"
    );

    // The link is checked before storage.
    scene.proxy.set_network(Network::BlackHole);
    scene.proxy.close_connections();
    eventually("the bridge notices that the link is cut", || {
        (readyz(scene.bridge()).status != 200).then_some(())
    });
    let outcome = pause(scene.bridge(), 1001, "&duration=5").outcome();
    assert_eq!(outcome, "503 pbx_unavailable");
    scene.proxy.set_network(Network::Normal);
    scene.proxy.close_connections();
    scene.bridge().wait_ready();

    for path in broken {
        std::fs::remove_file(path).expect("removed");
    }
    eventually("timed pauses work after the garbage was removed", || {
        let response = pause(scene.bridge(), 1001, "&duration=5");
        (response.status == 200).then_some(())
    });
    wait_for_storage(scene.bridge());
    wait_for_end(&scene.asterisk, 1001);
}

/// Waits until Asterisk shows the agent as unpaused.
fn wait_for_end(asterisk: &Asterisk, agent: u16) {
    eventually(&format!("the pause of agent {agent} ends"), || {
        let pause = pause_in_asterisk(&mut asterisk.ami(), "acme-6001", agent);
        (pause == Some((false, String::new()))).then_some(())
    });
}

/// Returns a command that runs the bridge in a mount namespace, in which a small file system is
/// mounted at `folder`.
fn with_small_file_system(folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    let script = "mount -t tmpfs -o size=512k none \"$0\" && exec \"$@\"";
    command
        .args(["--mount", "--map-root-user", "sh", "-c", script])
        .arg(folder)
        .arg(bridge_command().get_program())
        .env_remove("AMI_BRIDGE_CONFIG");
    command
}

fn unshare_full_directory_costs_only_timed_pauses(version: u32) {
    let asterisk = Asterisk::start(version);
    let folder = tempfile::tempdir().expect("a folder");
    let configuration = stored_configuration(asterisk.port, folder.path());
    let bridge = Bridge::start_command(with_small_file_system(folder.path()), &configuration);
    bridge.wait_ready();
    wait_for_storage(&bridge);
    for agent in AGENTS {
        bridge.acme_ok(&format!("action=add&agent={agent}&queue=6001"));
    }
    let outcome = pause(&bridge, 1001, "&duration=4").outcome();
    assert_eq!(outcome, "200 success", "before the file system is full");

    // The folder as the bridge sees it.
    let inside = format!("/proc/{}/root{}", bridge.pid(), folder.path().display());
    let filler = Path::new(&inside).join("filler");
    let mut file = std::fs::File::create(&filler).expect("a file in the file system");
    let is_full = |file: &mut std::fs::File| std::io::Write::write_all(file, &[0; 512]).is_err();
    while !is_full(&mut file) {}
    let mut stored = Vec::new();
    let refused = AGENTS.skip(1).find(|agent| {
        let response = pause(&bridge, *agent, "&duration=4");
        if response.status == 200 {
            stored.push((*agent, parse_time(&response.json()["queues"][0]["ends_at"])));
        }
        response.status != 200
    });
    let refused = refused.expect("a pause whose end does not fit into the file system");
    assert_unavailable(&asterisk, &bridge, refused);
    assert_eq!(
        storage(&bridge),
        "unavailable",
        "/readyz reports the full file system"
    );
    // Pauses whose ends were stored still end.
    for agent in stored.iter().map(|(agent, _)| *agent).chain([1001]) {
        wait_for_end(&asterisk, agent);
    }
    std::fs::remove_file(&filler).expect("removed");
    drop(file);
    eventually("timed pauses work after space was freed", || {
        (pause(&bridge, refused, "&duration=2").status == 200).then_some(())
    });
    wait_for_storage(&bridge);
    wait_for_end(&asterisk, refused);
}

fn second_bridge_with_the_same_directory_does_not_start(version: u32) {
    let scene = Scene::start(version, &[]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    std::fs::write(&file, &scene.configuration).expect("written");
    let mut command = bridge_command();
    let output = command.arg("--config").arg(file).output();
    let output = output.expect("an executable program");
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success(),
        "a second bridge has started: {shown}"
    );
    let directory = scene.state.path().display().to_string();
    assert!(
        shown.contains(&directory),
        "the directory must be named: {shown}"
    );
    scene.bridge().acme_ok("action=showstate&agent=1001");
}

#[test]
fn missing_directory_is_made_and_its_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let asterisk = Asterisk::start(SIMULATED);
    let folder = tempfile::tempdir().expect("a folder");
    let directory = folder.path().join("lib/ami-bridge");
    let _bridge = Bridge::start(&stored_configuration(asterisk.port, &directory));
    let entries = std::fs::read_dir(&directory).expect("a state directory");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("a file").path();
        let mode = path.metadata().expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "the mode of {}", path.display());
        count += 1;
    }
    assert!(count > 0, "no file in {}", directory.display());
}

/// systemd passes the directory of the unit in `STATE_DIRECTORY`.
#[test]
fn directory_of_the_unit_is_the_default() {
    let asterisk = Asterisk::start(SIMULATED);
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = bridge_command();
    command.env("STATE_DIRECTORY", folder.path());
    let bridge = Bridge::start_command(command, &configuration(asterisk.port));
    bridge.wait_ready();
    let files = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert!(files > 0, "no file in the unit's directory");
}

fn bridge_without_a_directory_says_so_and_ends_pauses(version: u32) {
    let asterisk = Asterisk::start(version);
    let text = with_reasons(&configuration(asterisk.port), &REASONS);
    let bridge = Bridge::start(&text);
    assert_eq!(
        storage(&bridge),
        "memory",
        "/readyz says that nothing is stored"
    );
    let log = bridge.log();
    let mut lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let says_memory = |line: &Value| {
        line["message"]
            .as_str()
            .is_some_and(|m| m.contains("memory"))
    };
    assert!(
        lines.any(|line| says_memory(&line)),
        "the start says so: {log}"
    );
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let outcome = pause(&bridge, 1001, "&duration=1").outcome();
    assert_eq!(outcome, "200 success");
    wait_for_end(&asterisk, 1001);
}
