//! The packaged files, and the daemon's notifications to the service manager.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Bridge, bridge_command, configuration, eventually, request};

#[path = "../../../tools/packaged_texts/texts.rs"]
mod texts;

#[test]
fn packaged_completions_and_manual_match_the_command_line() {
    for (path, text) in texts::texts() {
        let packaged = std::fs::read(texts::packaging().join(path)).expect("a packaged file");
        let hint = "cargo run --example packaged_texts";
        assert!(packaged == text, "{path} is out of date: {hint}");
    }
}

#[test]
fn bash_completes_commands_and_their_options() {
    let script = texts::packaging().join("completions/ami-bridge.bash");
    for (words, expected) in [
        ("ami-bridge che", "check"),
        ("ami-bridge check --js", "--json"),
        ("ami-bridge hash-password --he", "--help"),
    ] {
        // Calls the completion function as bash does when the user presses Tab.
        let complete = format!(
            "set -e; source {script:?}; COMP_WORDS=({words}); \
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _ami__bridge ami-bridge \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["-c", &complete]).output();
        let output = output.expect("the output of bash");
        let completed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(completed.trim(), expected, "{words}: {output:?}");
    }
}

#[test]
fn systemd_unit_is_hardened() {
    let unit = texts::packaging().join("systemd/ami-bridge.service");
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--threshold=20"])
        .arg(unit)
        .output()
        .expect("systemd-analyze, from Debian's systemd package");
    assert!(output.status.success(), "{output:?}");
}

/// A service manager's socket, which receives the bridge's notifications.
struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    fn new(socket: UnixDatagram) -> Self {
        let timeout = Some(Duration::from_secs(10));
        socket.set_read_timeout(timeout).expect("a read timeout");
        Self { socket }
    }

    fn next_message(&self) -> String {
        let mut bytes = [0; 512];
        let length = self.socket.recv(&mut bytes).expect("a message within 10 s");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    /// Returns the next message other than a watchdog message.
    fn next_state(&self) -> String {
        loop {
            let message = self.next_message();
            if message != "WATCHDOG=1\n" {
                return message;
            }
        }
    }
}

#[test]
fn service_manager_is_notified_through_a_socket_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    assert_notified(&Manager::new(socket), path.as_os_str());
}

/// Container managers use abstract sockets.
#[test]
fn service_manager_is_notified_through_an_abstract_socket() {
    let name = format!("ami-bridge-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let socket = UnixDatagram::bind_addr(&address).expect("a socket");
    assert_notified(&Manager::new(socket), format!("@{name}").as_ref());
}

/// The bridge must still serve requests if the service manager does not read its socket.
#[test]
fn hung_service_manager_does_not_block_the_bridge() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let _socket = UnixDatagram::bind(&path).expect("a socket");
    let mut command = bridge_command();
    command.env("NOTIFY_SOCKET", &path);
    // The bridge sends a thousand messages a second, so the socket's buffer is soon full.
    command.env("WATCHDOG_USEC", "2000");
    let bridge = Bridge::start_command(command, &configuration(1));
    eventually("the socket is full", || {
        let is_logged = bridge.log().contains("can't notify the service manager");
        is_logged.then_some(())
    });
    let started = Instant::now();
    let health = request(bridge.admin, "GET", "/healthz", &[], b"");
    assert_eq!(health.status, 200);
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    assert!(bridge.stop().0.success());
}

fn assert_notified(manager: &Manager, name: &OsStr) {
    let mut command = bridge_command();
    command.env("NOTIFY_SOCKET", name);
    command.env("WATCHDOG_USEC", "400000");
    let text = configuration(1);
    let started = Instant::now();
    let bridge = Bridge::start_command(command, &text);
    // The bridge reports that it is ready even though the PBX is unreachable.
    assert_eq!(manager.next_state(), "READY=1\n");
    for _ in 0..5 {
        assert_eq!(manager.next_message(), "WATCHDOG=1\n");
    }
    let elapsed = started.elapsed();
    assert!(elapsed > Duration::from_millis(600), "{elapsed:?}");
    bridge.reconfigure(&text);
    let reloading = manager.next_state();
    let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
    let time = time.expect("a monotonic time").trim_end();
    assert!(time.parse::<u64>().is_ok(), "{reloading}");
    assert_eq!(manager.next_state(), "READY=1\n");
    let _ = bridge.reconfigure("no configuration");
    assert!(manager.next_state().starts_with("RELOADING=1\n"));
    assert_eq!(manager.next_state(), "READY=1\n");
    let _ = bridge.stop();
    assert_eq!(manager.next_state(), "STOPPING=1\n");
}
