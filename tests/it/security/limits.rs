//! The connection limit, clients that disconnect, and shutdown under load.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::faults::consistency::{FaultTest, wait_for_responses};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, API_PATH, Asterisk, Bridge, SIMULATED, User, configuration, eventually, on_every_pbx,
    request, run_load, start,
};

on_every_pbx!(
    connections_beyond_the_limit_wait,
    change_is_completed_after_its_client_disconnects,
    unsent_change_is_never_reported_as_unknown,
    shutdown_under_load_answers_every_running_request,
    shutdown_answers_requests_on_unaccepted_connections,
);

fn connections_beyond_the_limit_wait(version: u32) {
    let asterisk = Asterisk::start(version);
    let configuration =
        configuration(asterisk.port).replace("[http]", "[http]\nmax_connections = 2");
    let bridge = Bridge::start(&configuration);
    let metrics = || request(bridge.admin, "GET", "/metrics", &[], b"").body;
    assert!(metrics().contains("\nami_bridge_connections 0\n"));
    let streams = [0, 1].map(|_| EventClient::open(bridge.address, ACME, ""));
    eventually("the connection limit is reached", || {
        let is_reached = bridge.log().contains("connection limit reached");
        is_reached.then_some(())
    });
    let metrics_at_limit = metrics();
    for line in [
        "\nami_bridge_connections 2\n",
        "\nami_bridge_connections_limit 2\n",
    ] {
        assert!(metrics_at_limit.contains(line), "{metrics_at_limit}");
    }
    // The operating system accepts the connection, but the bridge does not serve it yet.
    let mut third = TcpStream::connect(bridge.address).expect("a connection");
    let User { username, password } = ACME;
    let query = format!("username={username}&password={password}&action=showqueue");
    write!(third, "GET {API_PATH}?{query} HTTP/1.0\r\n\r\n").expect("a writable stream");
    third.set_nonblocking(true).expect("a socket");
    for _ in 0..3 {
        // The admin listener still responds.
        assert!(bridge.is_ready());
        let early_read = third.read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(early_read, Err(ErrorKind::WouldBlock));
    }
    third.set_nonblocking(false).expect("a socket");
    drop(streams);
    // The bridge notices a closed stream only when it writes to the stream a second time. On
    // the simulated PBX nothing changes, so the bridge writes only its heartbeats, after 15 and
    // 30 s.
    if version != SIMULATED {
        pause_until_readable(&asterisk, &third);
    }
    let mut response = String::new();
    third.read_to_string(&mut response).expect("a response");
    assert!(response.contains("\"status\":\"success\""), "{response}");
    // The bridge logs this message once, regardless of how many clients wait.
    let (_, log) = bridge.stop();
    assert_eq!(log.matches("connection limit reached").count(), 1);
}

/// Pauses and unpauses one of acme's static agents until the bridge has responded on `stream`. Each
/// change sends an event to acme's streams.
fn pause_until_readable(asterisk: &Asterisk, stream: &TcpStream) {
    let mut ami = asterisk.ami();
    let mut paused = false;
    stream.set_nonblocking(true).expect("a socket");
    eventually("the waiting client gets a response", || {
        paused = !paused;
        let response = ami.reply_text(&format!(
            "QueuePause\r\nInterface: Local/1050@acme-agents\r\nPaused: {paused}"
        ));
        assert!(response.starts_with("Success"), "{response}");
        stream.peek(&mut [0]).is_ok().then_some(())
    });
    stream.set_nonblocking(false).expect("a socket");
}

fn change_is_completed_after_its_client_disconnects(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    asterisk.freeze();
    let mut stream = TcpStream::connect(bridge.address).expect("a connection");
    write!(
        stream,
        "GET {API_PATH}?username=acme%40example.com&password=acme-password&action=pause\
         &agent=1001&reason=gone&queue=6001 HTTP/1.1\r\nHost: x\r\nX-Request-Id: gone-1\r\n\r\n"
    )
    .expect("a writable stream");
    eventually("the change is sent", || {
        (bridge.sent_count("QueuePause { queue: \"acme") == 1).then_some(())
    });
    // The client resets its connection.
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .expect("a linger option");
    drop(stream);
    asterisk.resume();
    let line = eventually("the request is logged", || {
        let log = bridge.log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .into_iter()
            .find(|line| line["message"] == "request" && line["request_id"] == "gone-1")
    });
    assert_eq!(line["outcome"], "success");
    assert_eq!(asterisk.queue_log().matches("|PAUSE|gone").count(), 1);
}

/// Before a change without a `queue` parameter, the bridge may have to query the queues. While
/// Asterisk is frozen, the outcome is unknown only if the bridge has already sent the change.
fn unsent_change_is_never_reported_as_unknown(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    asterisk.freeze();
    for query in [
        "action=pause&agent=1001",
        "action=pause&agent=1001&queue=6001",
    ] {
        let before = bridge.sent_count("QueuePause { queue: \"acme");
        let response = bridge.get_as(ACME, query);
        let expected = match bridge.sent_count("QueuePause { queue: \"acme") - before {
            0 => "503 pbx_unavailable",
            _ => "504 outcome_unknown",
        };
        assert_eq!(response.outcome(), expected, "{query}");
        let has_retry_after = response.header("Retry-After").is_some();
        assert_eq!(has_retry_after, response.status == 503, "{query}");
    }
    asterisk.resume();
}

fn shutdown_under_load_answers_every_running_request(version: u32) {
    let test = FaultTest::new(version, "SIGTERM");
    let FaultTest {
        asterisk, bridge, ..
    } = &test;
    let (outcomes, status) = run_load(bridge, "r", || {
        wait_for_responses(bridge);
        bridge.terminate();
        eventually("the bridge exits", || bridge.exit_status())
    });
    assert!(status.success(), "{status}");
    let tally = outcomes.check_against_queue_log(&asterisk.queue_log());
    println!("SIGTERM on Asterisk {version}: {tally}");
    // The bridge finished the running changes and reported their true outcomes.
    assert!(tally.success > 0 && tally.unknown == 0, "{tally}");
    assert_eq!(tally.unanswered_and_logged, 0, "{tally}");
}

/// SIGTERM arrives when the operating system has already accepted the connections and received the
/// requests, but before the bridge has accepted the connections.
fn shutdown_answers_requests_on_unaccepted_connections(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.freeze();
    let (username, password) = (ACME.username, ACME.password);
    let head = format!(
        "GET {API_PATH}?username={username}&password={password}&action=showqueue HTTP/1.1\r\n\
         Host: x\r\n\r\n"
    );
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(bridge.address).expect("a connection");
            stream
                .write_all(head.as_bytes())
                .expect("a writable stream");
            stream
        })
        .collect();
    bridge.terminate();
    bridge.resume();
    for (number, mut stream) in clients.into_iter().enumerate() {
        let mut response = String::new();
        let read = stream.read_to_string(&mut response);
        assert!(read.is_ok(), "client {number}: {read:?}");
        assert!(
            response.starts_with("HTTP/1.1 200 OK"),
            "client {number}: {response}"
        );
    }
    let (status, _) = bridge.stop();
    assert!(status.success(), "{status}");
}
