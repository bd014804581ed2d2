//! Replays the client's side of the transcripts in `ami-fixtures/22`, which were
//! recorded from Asterisk 22. The simulated PBX must send the same lines, except for
//! times and numbers that differ between runs.

use md5::{Digest, Md5};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Config, Simulator};

const QUEUES_CONF: &str = include_str!("../../asterisk-sample/config/queues.conf");
const MANAGER_CONF: &str = include_str!("../../asterisk-sample/config/manager.conf");
const READER_USER: &str = "\n[reader]\nsecret = reader-secret\nread = agent,system\n";

/// The heading of the sample's queues that did not exist when the transcripts were recorded.
const LATER_QUEUES: &str = "; Queues for tests of the time after a call";

/// The names of the transcripts, in the order in which they were recorded. Each transcript starts
/// from the state that the earlier transcripts left behind.
const TRANSCRIPTS: [&str; 21] = [
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

/// Repeats the changes that were made outside the recorded session before the client sent
/// `message`.
async fn prepare_pbx(simulator: &Simulator, transcript: &str, message: &[String]) {
    let has_line = |line: &str| message.iter().any(|l| l == line);
    match transcript {
        "status-caller" if has_line("Action: Challenge") => {
            add_paused_member(simulator).await;
            simulator.originate_call("acme-6001");
        }
        "status-large" if has_line("Action: Challenge") => {
            for number in 1000..1200 {
                let interface = format!("Local/{number}@globex-agents");
                simulator.add_member("globex-6001", &interface, &format!("Agent {number}"), 0);
            }
        }
        "shutdown-pending" if has_line("ActionID: 4") => simulator.set_shutting_down(true),
        "shutdown-pending" if has_line("Action: Logoff") => simulator.set_shutting_down(false),
        _ => {}
    }
}

/// Adds a paused member in a separate session.
async fn add_paused_member(simulator: &Simulator) {
    let mut client = Client::connect(simulator).await;
    for action in [
        "Action: Login\r\nUsername: queuebridge\r\nSecret: sample-secret-change-me\r\n\
         Events: off",
        "Action: QueueAdd\r\nQueue: acme-6001\r\nInterface: Local/1001@acme-agents\r\n\
         MemberName: Dana Levi\r\nPaused: true",
    ] {
        client.send(&[action.to_owned()]).await;
        assert_eq!(client.read_line().await, "Response: Success");
        while !client.read_line().await.is_empty() {}
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(simulator: &Simulator) -> Self {
        let stream = TcpStream::connect(simulator.address()).await;
        let mut client = Self(BufReader::new(stream.expect("a connection")));
        assert_eq!(client.read_line().await, "Asterisk Call Manager/11.0.0");
        client
    }

    async fn send(&mut self, lines: &[String]) {
        let message = lines.join("\r\n") + "\r\n\r\n";
        self.0
            .write_all(message.as_bytes())
            .await
            .expect("an open connection");
    }

    /// Reads a line. Returns an empty string for an empty line, and after the connection has
    /// closed.
    async fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.0
            .read_line(&mut line)
            .await
            .expect("a readable connection");
        line.trim_end_matches(['\r', '\n']).to_owned()
    }
}

/// Replaces values that differ between runs.
fn normalize(line: &str) -> String {
    let Some((name, value)) = line.split_once(": ") else {
        return line.to_owned();
    };
    let value = match name {
        "Challenge" | "Timestamp" | "Uptime" | "LastReload" => "…",
        // The hold time depends on how long the recording took.
        "HoldTime" => "…",
        "LoginTime" | "LastPause" | "LastCall" if value != "0" => "…",
        "Uniqueid" | "Linkedid" => value.split('.').nth(1).expect("a number after the time"),
        _ => value,
    };
    format!("{name}: {value}")
}

#[tokio::test]
async fn simulator_sends_the_same_lines_as_asterisk() {
    let (queues_conf, _) = QUEUES_CONF.split_once(LATER_QUEUES).expect("the heading");
    let config = Config::new(queues_conf, &format!("{MANAGER_CONF}{READER_USER}"));
    let simulator = Simulator::start(config).await.expect("a running simulator");
    for transcript in TRANSCRIPTS {
        replay(&simulator, transcript).await;
    }
}

async fn replay(simulator: &Simulator, transcript: &str) {
    let folder = env!("CARGO_MANIFEST_DIR");
    let path = format!("{folder}/ami-fixtures/22/{transcript}.txt");
    let text = std::fs::read_to_string(&path).expect("a transcript");
    let mut client = Client::connect(simulator).await;
    let (mut message, mut challenge) = (Vec::new(), String::new());
    for (index, line) in text.lines().enumerate().skip(3) {
        let (side, expected) = line.split_once(':').expect("`C:` or `S:`");
        let expected = expected.strip_prefix(' ').unwrap_or(expected);
        let expected = expected.replace("\\x20", " ");
        if side == "C" {
            if expected.is_empty() {
                prepare_pbx(simulator, transcript, &message).await;
                client.send(&std::mem::take(&mut message)).await;
            } else {
                message.push(replace_key(&expected, transcript, &challenge));
            }
            continue;
        }
        // `QueueCallerAbandon` is the first event of the shutdown.
        if transcript == "shutdown" && expected == "Event: QueueCallerAbandon" {
            simulator.stop().await;
        }
        let line = client.read_line().await;
        assert_eq!(
            normalize(&line),
            normalize(&expected),
            "{transcript}.txt:{}",
            index + 1
        );
        if let Some(value) = line.strip_prefix("Challenge: ") {
            challenge = value.to_owned();
        }
    }
    let mut rest = String::new();
    if ["login-rejected", "shutdown"].contains(&transcript) {
        client
            .0
            .read_line(&mut rest)
            .await
            .expect("a readable connection");
    }
    assert_eq!(rest, "", "{transcript}");
}

/// Replaces the recorded MD5 digest with the digest for the current challenge.
fn replace_key(line: &str, transcript: &str, challenge: &str) -> String {
    if !line.starts_with("Key: ") {
        return line.to_owned();
    }
    let secret = match transcript {
        "login-rejected" => "not-the-secret",
        "permission-denied" => "reader-secret",
        _ => "sample-secret-change-me",
    };
    let digest = Md5::digest(format!("{challenge}{secret}"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("Key: {hex}")
}
