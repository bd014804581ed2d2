//! Sessions of the simulated PBX, on a clock that stands still: what is due comes
//! when everything else has been said.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Config, Simulator};

const QUEUES: &str = "[one]\nringinuse = no\nwrapuptime = 30\n";
const MANAGER: &str = "[all]\nsecret = s\nread = all\nwrite = all\n[reader]\nsecret = s\n";

async fn start() -> Simulator {
    let config = Config::new(QUEUES, MANAGER);
    Simulator::start(config).await.expect("started")
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn login(simulator: &Simulator, user: &str, events: &str) -> Self {
        let stream = TcpStream::connect(simulator.address()).await.expect("AMI");
        let mut client = Self(BufReader::new(stream));
        let mut banner = String::new();
        client.0.read_line(&mut banner).await.expect("a banner");
        let login = format!("Login\r\nUsername: {user}\r\nSecret: s\r\nEvents: {events}");
        client.send(&login).await;
        assert_eq!(client.next().await, "Success Authentication accepted");
        client
    }

    async fn send(&mut self, action: &str) {
        let message = format!("Action: {action}\r\n\r\n");
        self.0.write_all(message.as_bytes()).await.expect("written");
    }

    /// The values of the next message, those that a test looks at; empty when the
    /// session has ended.
    async fn next(&mut self) -> String {
        let mut values = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.expect("read");
            let line = line.trim_end_matches(['\r', '\n']);
            match line.split_once(": ") {
                Some((
                    "Response" | "Message" | "Event" | "Interface" | "Status" | "Module"
                    | "Shutdown" | "HoldTime" | "TalkTime" | "Reason",
                    value,
                )) => values.push(value.to_owned()),
                Some(_) => {}
                None => return values.join(" "),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_goes_its_way_in_its_time() {
    let simulator = start().await;
    simulator.add_member("one", "PJSIP/1", "Dana", 0);
    let mut client = Client::login(&simulator, "all", "agent").await;
    simulator.call("one");
    for expected in [
        "QueueCallerJoin",
        "AgentCalled PJSIP/1",
        "QueueMemberStatus PJSIP/1 6",
        "QueueMemberStatus PJSIP/1 2",
        "QueueCallerLeave",
        "AgentConnect PJSIP/1 1",
        "AgentComplete PJSIP/1 1 60 caller",
        "QueueMemberStatus PJSIP/1 1",
    ] {
        assert_eq!(client.next().await, expected);
    }
    // The next one waits until the agent is through with the last.
    simulator.call("one");
    assert_eq!(client.next().await, "QueueCallerJoin");
    assert_eq!(client.next().await, "AgentCalled PJSIP/1");
    client.next().await;
    client.next().await;
    client.next().await;
    assert_eq!(client.next().await, "AgentConnect PJSIP/1 31");
}

#[tokio::test]
async fn an_answer_comes_before_what_it_causes() {
    let simulator = start().await;
    let mut client = Client::login(&simulator, "all", "agent").await;
    let pause = "QueuePause\r\nInterface: PJSIP/1\r\nPaused: 1";
    client
        .send(&format!(
            "QueueAdd\r\nQueue: one\r\nInterface: PJSIP/1\r\n\r\nAction: {pause}"
        ))
        .await;
    let mut order = Vec::new();
    for _ in 0..4 {
        order.push(client.next().await);
    }
    let place = |text: &str| order.iter().position(|told| told.starts_with(text));
    let added = place("Success Added").zip(place("QueueMemberAdded"));
    let paused = place("Success Interface paused").zip(place("QueueMemberPause"));
    for (answer, event) in [added, paused].map(|places| places.expect("both")) {
        assert!(answer < event, "{order:?}");
    }
}

#[tokio::test]
async fn rights_and_modules_are_minded() {
    let simulator = start().await;
    let mut reader = Client::login(&simulator, "reader", "on").await;
    for (action, expected) in [
        (
            "QueueAdd\r\nQueue: one\r\nInterface: x",
            "Error Permission denied",
        ),
        ("QueuePause\r\nInterface: x", "Error Permission denied"),
        ("QueueReset", "Success Queue stats reset successfully"),
        ("Ping", "Success"),
    ] {
        reader.send(action).await;
        assert_eq!(reader.next().await, expected, "{action}");
    }
    let mut client = Client::login(&simulator, "all", "system").await;
    assert_eq!(client.next().await, "FullyBooted Fully Booted");
    simulator.set_loaded(false);
    assert_eq!(client.next().await, "Unload app_queue.so Success");
    client.send("QueueStatus").await;
    assert!(
        client
            .next()
            .await
            .starts_with("Error Invalid/unknown command: QueueStatus.")
    );
    simulator.set_loaded(true);
    assert_eq!(client.next().await, "Load app_queue.so Success");
    client.send("QueueStatus").await;
    assert_eq!(client.next().await, "Success Queue status will follow");
}

#[tokio::test]
async fn a_reload_changes_the_queues_without_a_word() {
    let simulator = start().await;
    let mut client = Client::login(&simulator, "all", "on").await;
    assert_eq!(client.next().await, "FullyBooted Fully Booted");
    simulator.reload("[two]\nmember => PJSIP/2\n");
    for (queue, items) in [("one", 0), ("two", 2)] {
        client.send(&format!("QueueStatus\r\nQueue: {queue}")).await;
        assert_eq!(client.next().await, "Success Queue status will follow");
        for _ in 0..items {
            client.next().await;
        }
        assert_eq!(client.next().await, "QueueStatusComplete");
    }
}

#[tokio::test]
async fn a_stop_is_told_and_a_crash_is_not() {
    let mut simulator = start().await;
    let mut client = Client::login(&simulator, "all", "system").await;
    client.next().await;
    simulator.stop().await;
    assert_eq!(client.next().await, "Shutdown Cleanly");
    assert_eq!(client.next().await, "");
    simulator.start_again().await.expect("the port is free");
    let mut client = Client::login(&simulator, "all", "system").await;
    client.next().await;
    simulator.kill().await;
    assert_eq!(client.next().await, "");
}
