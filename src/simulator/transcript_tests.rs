//! The simulated PBX says what Asterisk 22 said when `ami-fixtures/22` was
//! recorded: line by line, but for times and numbers that differ each time.

use md5::{Digest, Md5};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Config, Simulator};

const QUEUES: &str = include_str!("../../asterisk-sample/config/queues.conf");
const MANAGER: &str = include_str!("../../asterisk-sample/config/manager.conf");
const READER: &str = "\n[reader]\nsecret = reader-secret\nread = agent,system\n";

/// In the order of their recording: a scene finds what former ones left.
const SCENES: [&str; 21] = [
    "login",
    "login-rejected",
    "not-logged-in",
    "queue-add",
    "queue-pause",
    "queue-remove",
    "missing-headers",
    "add-with-reason",
    "embedded-line-feed",
    "unknown-action",
    "missing-action",
    "permission-denied",
    "status-empty",
    "status-members",
    "status-all",
    "status-caller",
    "shutdown-pending",
    "status-large",
    "ping",
    "events",
    "shutdown",
];

/// What else was done on the recorded PBX, before a message of the client's.
async fn aside(simulator: &Simulator, scene: &str, message: &[String]) {
    let is = |line: &str| message.iter().any(|l| l == line);
    match scene {
        "status-caller" if is("Action: Challenge") => {
            let mut aside = Client::connect(simulator).await;
            for lines in [
                "Action: Login\r\nUsername: queuebridge\r\nSecret: sample-secret-change-me\r\n\
                 Events: off",
                "Action: QueueAdd\r\nQueue: acme-6001\r\nInterface: Local/1001@acme-agents\r\n\
                 MemberName: Dana Levi\r\nPaused: true",
            ] {
                aside.send(&[lines.to_owned()]).await;
                assert_eq!(aside.line().await, "Response: Success");
                while !aside.line().await.is_empty() {}
            }
            simulator.call("acme-6001");
        }
        "status-large" if is("Action: Challenge") => {
            for number in 1000..1200 {
                let interface = format!("Local/{number}@globex-agents");
                simulator.add_member("globex-6001", &interface, &format!("Agent {number}"), 0);
            }
        }
        "shutdown-pending" if is("ActionID: 4") => simulator.set_stopping(true),
        "shutdown-pending" if is("Action: Logoff") => simulator.set_stopping(false),
        _ => {}
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(simulator: &Simulator) -> Self {
        let stream = TcpStream::connect(simulator.address()).await.expect("AMI");
        let mut client = Self(BufReader::new(stream));
        assert_eq!(client.line().await, "Asterisk Call Manager/11.0.0");
        client
    }

    async fn send(&mut self, lines: &[String]) {
        let message = lines.join("\r\n") + "\r\n\r\n";
        self.0.write_all(message.as_bytes()).await.expect("written");
    }

    /// Empty too when the connection has ended.
    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.expect("read");
        line.trim_end_matches(['\r', '\n']).to_owned()
    }
}

/// Without what differs from time to time.
fn comparable(line: &str) -> String {
    let Some((name, value)) = line.split_once(": ") else {
        return line.to_owned();
    };
    let value = match name {
        "Challenge" | "Timestamp" | "Uptime" | "LastReload" => "…",
        // How long the recording's caller had waited.
        "HoldTime" => "…",
        "LoginTime" | "LastPause" | "LastCall" if value != "0" => "…",
        "Uniqueid" | "Linkedid" => value.split('.').nth(1).expect("a number behind the time"),
        _ => value,
    };
    format!("{name}: {value}")
}

#[tokio::test]
async fn the_simulated_pbx_says_what_asterisk_said() {
    let config = Config::new(QUEUES, &format!("{MANAGER}{READER}"));
    let simulator = Simulator::start(config).await.expect("started");
    for scene in SCENES {
        let folder = env!("CARGO_MANIFEST_DIR");
        let path = format!("{folder}/ami-fixtures/22/{scene}.txt");
        let text = std::fs::read_to_string(&path).expect("a transcript");
        let mut client = Client::connect(&simulator).await;
        let (mut message, mut challenge) = (Vec::new(), String::new());
        for (number, line) in text.lines().enumerate().skip(3) {
            let (side, expected) = line.split_once(':').expect("a side");
            let expected = expected.strip_prefix(' ').unwrap_or(expected);
            let expected = expected.replace("\\x20", " ");
            if side == "C" {
                if !expected.is_empty() {
                    message.push(with_key(&expected, scene, &challenge));
                    continue;
                }
                aside(&simulator, scene, &message).await;
                client.send(&std::mem::take(&mut message)).await;
                continue;
            }
            // The first that is told of the end is the caller's.
            if scene == "shutdown" && expected == "Event: QueueCallerAbandon" {
                simulator.stop().await;
            }
            let line = client.line().await;
            assert_eq!(
                comparable(&line),
                comparable(&expected),
                "{scene}.txt:{}",
                number + 1
            );
            if let Some(told) = line.strip_prefix("Challenge: ") {
                challenge = told.to_owned();
            }
        }
        let mut rest = String::new();
        if ["login-rejected", "shutdown"].contains(&scene) {
            client.0.read_line(&mut rest).await.expect("the end");
        }
        assert_eq!(rest, "", "{scene}");
    }
}

/// The recorded digest is of another challenge.
fn with_key(line: &str, scene: &str, challenge: &str) -> String {
    if !line.starts_with("Key: ") {
        return line.to_owned();
    }
    let secret = match scene {
        "login-rejected" => "not-the-secret",
        "permission-denied" => "reader-secret",
        _ => "sample-secret-change-me",
    };
    let digest = Md5::digest(format!("{challenge}{secret}"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("Key: {hex}")
}
