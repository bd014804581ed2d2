//! Tests of the simulated PBX's AMI sessions. Tests with `start_paused` do not wait for timers
//! in real time: tokio advances its clock when all tasks are idle.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Config, Simulator};

const QUEUES_CONF: &str = "[one]\nringinuse = no\nwrapuptime = 30\n";
const MANAGER_CONF: &str = "[all]\nsecret = s\nread = all\nwrite = all\n[reader]\nsecret = s\n";

async fn start() -> Simulator {
    let config = Config::new(QUEUES_CONF, MANAGER_CONF);
    Simulator::start(config).await.expect("a running simulator")
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn log_in(simulator: &Simulator, user: &str, events: &str) -> Self {
        let stream = TcpStream::connect(simulator.address()).await;
        let mut client = Self(BufReader::new(stream.expect("a connection")));
        let mut banner = String::new();
        client.0.read_line(&mut banner).await.expect("a banner");
        let login = format!("Login\r\nUsername: {user}\r\nSecret: s\r\nEvents: {events}");
        client.send(&login).await;
        assert_eq!(client.next().await, "Success Authentication accepted");
        client
    }

    async fn send(&mut self, action: &str) {
        let message = format!("Action: {action}\r\n\r\n");
        self.0
            .write_all(message.as_bytes())
            .await
            .expect("an open connection");
    }

    /// Reads a message. Returns the values of the headers that the tests compare, or an empty
    /// string if the connection has been closed.
    async fn next(&mut self) -> String {
        let mut values = Vec::new();
        loop {
            let mut line = String::new();
            self.0
                .read_line(&mut line)
                .await
                .expect("a readable connection");
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
async fn call_is_answered_and_completed_after_the_talk_time() {
    let simulator = start().await;
    simulator.add_member("one", "PJSIP/1", "Dana", 0);
    let mut client = Client::log_in(&simulator, "all", "agent").await;
    simulator.originate_call("one");
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
    // The next caller waits until the wrap-up time of 30 seconds is over.
    simulator.originate_call("one");
    assert_eq!(client.next().await, "QueueCallerJoin");
    assert_eq!(client.next().await, "AgentCalled PJSIP/1");
    client.next().await;
    client.next().await;
    client.next().await;
    assert_eq!(client.next().await, "AgentConnect PJSIP/1 31");
}

#[tokio::test]
async fn response_precedes_the_event_of_its_action() {
    let simulator = start().await;
    let mut client = Client::log_in(&simulator, "all", "agent").await;
    let pause = "QueuePause\r\nInterface: PJSIP/1\r\nPaused: 1";
    client
        .send(&format!(
            "QueueAdd\r\nQueue: one\r\nInterface: PJSIP/1\r\n\r\nAction: {pause}"
        ))
        .await;
    let mut messages = Vec::new();
    for _ in 0..4 {
        messages.push(client.next().await);
    }
    let index = |start: &str| {
        messages
            .iter()
            .position(|message| message.starts_with(start))
    };
    for (response, event) in [
        ("Success Added", "QueueMemberAdded"),
        ("Success Interface paused", "QueueMemberPause"),
    ] {
        let (response, event) = index(response)
            .zip(index(event))
            .expect("a response and an event");
        assert!(response < event, "{messages:?}");
    }
}

#[tokio::test]
async fn user_without_write_permission_cannot_change_members() {
    let simulator = start().await;
    let mut reader = Client::log_in(&simulator, "reader", "on").await;
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
}

#[tokio::test]
async fn queue_actions_are_unknown_while_app_queue_is_unloaded() {
    let simulator = start().await;
    let mut client = Client::log_in(&simulator, "all", "system").await;
    assert_eq!(client.next().await, "FullyBooted Fully Booted");
    simulator.set_app_queue_loaded(false);
    assert_eq!(client.next().await, "Unload app_queue.so Success");
    client.send("QueueStatus").await;
    assert!(
        client
            .next()
            .await
            .starts_with("Error Invalid/unknown command: QueueStatus.")
    );
    simulator.set_app_queue_loaded(true);
    assert_eq!(client.next().await, "Load app_queue.so Success");
    client.send("QueueStatus").await;
    assert_eq!(client.next().await, "Success Queue status will follow");
}

#[tokio::test]
async fn reload_changes_the_queues_without_an_event() {
    let simulator = start().await;
    let mut client = Client::log_in(&simulator, "all", "on").await;
    assert_eq!(client.next().await, "FullyBooted Fully Booted");
    simulator.reload_queues("[two]\nmember => PJSIP/2\n");
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
async fn stop_sends_a_shutdown_event_but_kill_does_not() {
    let mut simulator = start().await;
    let mut client = Client::log_in(&simulator, "all", "system").await;
    client.next().await;
    simulator.stop().await;
    assert_eq!(client.next().await, "Shutdown Cleanly");
    assert_eq!(client.next().await, "");
    simulator.restart().await.expect("a free port");
    let mut client = Client::log_in(&simulator, "all", "system").await;
    client.next().await;
    simulator.kill().await;
    assert_eq!(client.next().await, "");
}
