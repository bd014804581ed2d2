//! Runs the examples in `examples/clients`. Test names start with the interpreter's name, so that
//! `./test` can skip the tests if the interpreter is not installed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use ami_bridge::organizations::TokenHash;

use crate::support::{ACME, Asterisk, Bridge, ReservedPort, SIMULATED, configuration, start};

fn client_command(interpreter: &str, file: &str, bridge: SocketAddr, agent: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/clients");
    let mut command = Command::new(interpreter);
    command
        .arg(folder.join(file))
        .args([agent, "6001"])
        .env("BRIDGE", format!("http://{bridge}"))
        .env("BRIDGE_USER", "acme@example.com")
        .env("BRIDGE_PASSWORD", "acme-password");
    command
}

fn start_with_an_agent() -> (Asterisk, Bridge) {
    let (asterisk, bridge) = start(SIMULATED);
    bridge.get_ok(ACME, "action=add&agent=1001&queue=6001&alias=Dana");
    (asterisk, bridge)
}

/// Runs a client, asserts that it succeeds, and returns its output.
fn run(mut command: Command) -> String {
    let output = command.output().expect("an executable client");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn curl_changes_and_reads() {
    let (_asterisk, bridge) = start_with_an_agent();
    let text = run(client_command("bash", "curl.sh", bridge.address, "1001"));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(lines[0], "paused: 1001");
    assert!(
        lines[1].contains("\"paused_reason\":\"Lunch break\""),
        "{text}"
    );
    assert!(lines[2].starts_with("error: unknown_queue: "), "{text}");

    let text = run(client_command("bash", "curl.sh", bridge.address, "1002"));
    assert!(
        text.starts_with("Agent 1002 is not in queue 6001.\n"),
        "{text}"
    );
}

#[test]
fn php_changes_and_reads() {
    let (_asterisk, bridge) = start_with_an_agent();
    let text = run(client_command("php", "client.php", bridge.address, "1001"));
    let expected = "paused: 1001\nmember: 1001 paused Lunch break\n\
                    error: unknown_queue: There is no such queue.\n";
    assert_eq!(text, expected);

    let text = run(client_command("php", "client.php", bridge.address, "1002"));
    assert_eq!(
        text,
        "error: not_a_member: The agent is not in that queue.\n"
    );
    assert_reports_an_unknown_outcome("php", "client.php");
}

#[test]
fn node_changes_reads_and_follows() {
    assert_changes_reads_and_follows("node", "client.mjs");
    assert_reports_an_unknown_outcome("node", "client.mjs");
    assert_exits_on_a_wrong_password("node", "client.mjs");
}

#[test]
fn python3_changes_reads_and_follows() {
    assert_changes_reads_and_follows("python3", "client.py");
    assert_reports_an_unknown_outcome("python3", "client.py");
    assert_exits_on_a_wrong_password("python3", "client.py");
}

#[test]
fn curl_sends_a_token() {
    assert_sends_a_token("bash", "curl.sh");
}

#[test]
fn php_sends_a_token() {
    assert_sends_a_token("php", "client.php");
}

#[test]
fn node_sends_a_token() {
    assert_sends_a_token("node", "client.mjs");
}

#[test]
fn python3_sends_a_token() {
    assert_sends_a_token("python3", "client.py");
}

fn assert_sends_a_token(interpreter: &str, file: &str) {
    let asterisk = Asterisk::start(SIMULATED);
    let token = "amib_sample";
    let hash = TokenHash::of(token);
    let entry =
        format!("[[organization.acme.token]]\nname = \"client\"\ntoken_hash = \"{hash}\"\n");
    let bridge = Bridge::start(&(configuration(asterisk.port) + &entry));
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let mut command = client_command(interpreter, file, bridge.address, "1001");
    command
        .env_remove("BRIDGE_USER")
        .env_remove("BRIDGE_PASSWORD")
        .env("BRIDGE_TOKEN", token);
    let client = RunningClient::start(command);
    assert_eq!(client.next_line(), "paused: 1001");
    // The response to the last request that every client sends.
    while !client.next_line().starts_with("error: unknown_queue: ") {}
    let log = bridge.log();
    assert!(log.contains("\"user\":\"token:client\""), "{log}");
    // Of three reads of a queue in which nothing happens, at least one has an empty response. The
    // bridge may correct the time of the pause once.
    assert!(log.contains("\"status\":304"), "{log}");
}

/// If no server listens, or the server is not a bridge, a change's outcome is unknown. The
/// client must report this and continue.
fn assert_reports_an_unknown_outcome(interpreter: &str, file: &str) {
    let other_server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let unused_port = ReservedPort::reserve();
    let addresses = [
        unused_port.address,
        other_server.local_addr().expect("bound"),
    ];
    std::thread::spawn(move || {
        for mut stream in other_server.incoming().map_while(Result::ok) {
            let page = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\
                        Connection: close\r\n\r\nsorry";
            // Without this read, closing the connection would reset it and lose the response.
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(page.as_bytes());
        }
    });
    for address in addresses {
        let client = RunningClient::start(client_command(interpreter, file, address, "1001"));
        assert_eq!(
            client.next_line(),
            "error: outcome_unknown: It may or may not have happened. Check before you try again."
        );
    }
}

/// A retry can't fix a wrong password, so the client must report the error and exit.
fn assert_exits_on_a_wrong_password(interpreter: &str, file: &str) {
    let (_asterisk, bridge) = start_with_an_agent();
    let mut client = client_command(interpreter, file, bridge.address, "1001");
    let output = client.env("BRIDGE_PASSWORD", "wrong").output();
    let output = output.expect("an executable client");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error = "unauthorized: Wrong user name or password.\n";
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed, format!("error: {error}"));
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(printed, format!("no events: {error}"));
}

/// A running client. Dropping it kills the client.
struct RunningClient {
    child: Child,
    lines: Receiver<String>,
}

impl RunningClient {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("an executable client");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // Ignores queue events, because their timing depends on Asterisk.
                if line != "event: queue" && sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    fn next_line(&self) -> String {
        let line = self.lines.recv_timeout(Duration::from_secs(20));
        line.expect("a line from the client")
    }
}

impl Drop for RunningClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn assert_changes_reads_and_follows(interpreter: &str, file: &str) {
    let (asterisk, bridge) = start_with_an_agent();
    let client = RunningClient::start(client_command(interpreter, file, bridge.address, "1001"));
    for expected in [
        "paused: 1001",
        "member: 1001 paused Lunch break",
        "error: unknown_queue: There is no such queue.",
        "event: snapshot",
    ] {
        assert_eq!(client.next_line(), expected);
    }
    bridge.get_ok(ACME, "action=unpause&agent=1001&queue=6001");
    assert_eq!(client.next_line(), "event: member 1001 unpaused");
    // A reload closes the streams of users whose settings have changed. After the client has
    // reconnected, it gets a snapshot, because it may now see something else.
    let changed = "password = \"acme-password\"\nallow_from = [\"127.0.0.0/8\"]";
    let changed = configuration(asterisk.port).replace("password = \"acme-password\"", changed);
    bridge.reconfigure(&changed);
    bridge.get_ok(ACME, "action=pause&agent=1001&queue=6001&reason=Tea");
    assert_eq!(client.next_line(), "event: shutdown");
    assert_eq!(client.next_line(), "event: snapshot");
}
