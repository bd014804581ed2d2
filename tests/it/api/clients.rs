//! The examples in `examples/clients` do what they say. The name of each test has
//! the interpreter's in it, so that a run without it can leave it out.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::support::{ACME, Asterisk, Bridge, ReservedPort, SIMULATED, configuration, start};

fn client(interpreter: &str, file: &str, bridge: SocketAddr, agent: &str) -> Command {
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

fn with_an_agent() -> (Asterisk, Bridge) {
    let (asterisk, bridge) = start(SIMULATED);
    bridge.get_ok(ACME, "action=add&agent=1001&queue=6001&alias=Dana");
    (asterisk, bridge)
}

fn output(mut command: Command) -> String {
    let output = command.output().expect("the client");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn curl_changes_and_reads() {
    let (_asterisk, bridge) = with_an_agent();
    let text = output(client("bash", "curl.sh", bridge.address, "1001"));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(lines[0], "paused: 1001");
    assert!(
        lines[1].contains("\"paused_reason\":\"Lunch break\""),
        "{text}"
    );
    assert!(lines[2].starts_with("error: unknown_queue: "), "{text}");

    let text = output(client("bash", "curl.sh", bridge.address, "1002"));
    assert!(
        text.starts_with("Agent 1002 is not in queue 6001.\n"),
        "{text}"
    );
}

#[test]
fn php_changes_and_reads() {
    let (_asterisk, bridge) = with_an_agent();
    let text = output(client("php", "client.php", bridge.address, "1001"));
    let expected = "paused: 1001\nmember: 1001 paused Lunch break\n\
                    error: unknown_queue: There is no such queue.\n";
    assert_eq!(text, expected);

    let text = output(client("php", "client.php", bridge.address, "1002"));
    assert_eq!(
        text,
        "error: not_a_member: The agent is not in that queue.\n"
    );
    without_a_bridge("php", "client.php");
}

#[test]
fn node_changes_reads_and_follows() {
    changes_reads_and_follows("node", "client.mjs");
    without_a_bridge("node", "client.mjs");
    with_a_wrong_password("node", "client.mjs");
}

#[test]
fn python3_changes_reads_and_follows() {
    changes_reads_and_follows("python3", "client.py");
    without_a_bridge("python3", "client.py");
    with_a_wrong_password("python3", "client.py");
}

/// Nothing listens there, or something that is no bridge: a change is in doubt, and the
/// client says so and goes on.
fn without_a_bridge(interpreter: &str, file: &str) {
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = ReservedPort::reserve();
    let addresses = [nobody.address, proxy.local_addr().expect("bound")];
    std::thread::spawn(move || {
        for mut stream in proxy.incoming().map_while(Result::ok) {
            let page = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\
                        Connection: close\r\n\r\nsorry";
            // What was asked is read first: else the end of the connection is a reset.
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked);
            let _ = stream.write_all(page.as_bytes());
        }
    });
    for address in addresses {
        let client = Following::start(client(interpreter, file, address, "1001"));
        assert_eq!(
            client.next(),
            "error: outcome_unknown: It may or may not have happened: look before trying again."
        );
    }
}

/// Nothing that trying again could mend: it ends, and says why in words.
fn with_a_wrong_password(interpreter: &str, file: &str) {
    let (_asterisk, bridge) = with_an_agent();
    let mut client = client(interpreter, file, bridge.address, "1001");
    let output = client.env("BRIDGE_PASSWORD", "wrong").output();
    let output = output.expect("the client");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = "unauthorized: Wrong user name or password.\n";
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, format!("error: {told}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, format!("no events: {told}"));
}

/// A client that runs until the test ends.
struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the client");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // Tally are told when Asterisk has counted, which is no matter here.
                if line != "event: queue" && sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    fn next(&self) -> String {
        let line = self.lines.recv_timeout(Duration::from_secs(20));
        line.expect("a line of the client")
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn changes_reads_and_follows(interpreter: &str, file: &str) {
    let (asterisk, bridge) = with_an_agent();
    let client = Following::start(client(interpreter, file, bridge.address, "1001"));
    for expected in [
        "paused: 1001",
        "member: 1001 paused Lunch break",
        "error: unknown_queue: There is no such queue.",
        "event: snapshot",
    ] {
        assert_eq!(client.next(), expected);
    }
    bridge.get_ok(ACME, "action=unpause&agent=1001&queue=6001");
    assert_eq!(client.next(), "event: member 1001 unpaused");
    // A reload ends the streams of a user who has changed. What happens until the
    // client is back is told then, and nothing anew.
    let changed = "password = \"acme-password\"\nallow_from = [\"127.0.0.0/8\"]";
    let changed = configuration(asterisk.port).replace("password = \"acme-password\"", changed);
    bridge.reconfigure(&changed);
    bridge.get_ok(ACME, "action=pause&agent=1001&queue=6001&reason=Tea");
    assert_eq!(client.next(), "event: shutdown");
    assert_eq!(client.next(), "event: member 1001 paused");
}
