//! The log reader hangs. Requests do not wait for the reader, and the bridge counts and
//! reports dropped log lines.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{ACME, Asterisk, Bridge, LogReader, SIMULATED, bridge_command, configuration};
use crate::support::{eventually, request};

/// The longest time that [`assert_works`] may take. It takes milliseconds on an idle machine.
const MAX_REQUEST_TIME: Duration = Duration::from_secs(2);

/// The maximum number of rounds. The log queue, the pipe and the journal are full after fewer
/// rounds.
const MAX_ROUNDS: usize = 3000;

fn dropped_lines(bridge: &Bridge) -> u64 {
    let health = request(bridge.admin, "GET", "/healthz", &[], b"");
    assert_eq!(health.status, 200);
    health.json()["log_lines"]["dropped"]
        .as_u64()
        .expect("a number")
}

/// Asserts that reads, changes and the admin listener work. Returns how long the requests took.
fn assert_works(bridge: &Bridge) -> Duration {
    let begun = Instant::now();
    for query in [
        "action=add&agent=1001&queue=6001",
        "action=showqueue&fresh=1",
        "action=remove&agent=1001&queue=6001",
    ] {
        bridge.get_ok(ACME, query);
    }
    assert!(bridge.is_ready());
    dropped_lines(bridge);
    begun.elapsed()
}

fn assert_survives_a_hanging_reader(bridge: &Bridge, reader: &LogReader) {
    reader.pause();
    let mut slowest = Duration::ZERO;
    let mut rounds = 0;
    while dropped_lines(bridge) == 0 {
        // At trace level, each request logs many lines.
        slowest = slowest.max(assert_works(bridge));
        rounds += 1;
        assert!(
            rounds < MAX_ROUNDS,
            "no log line was dropped in {rounds} rounds"
        );
    }
    slowest = slowest.max(assert_works(bridge));
    println!("{rounds} rounds without a reader, the slowest took {slowest:?}");
    assert!(slowest < MAX_REQUEST_TIME, "{slowest:?}");
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("ami_bridge_log_lines_dropped_total "));
    let dropped: u64 = line
        .expect("a metric line")
        .rsplit(' ')
        .next()
        .expect("a value")
        .parse()
        .expect("a number");
    assert!(dropped > 0, "{metrics}");
    reader.resume();
    eventually("the dropped lines are logged", || {
        let log = bridge.log();
        log.contains("log lines were dropped").then_some(())
    });
    assert_works(bridge);
}

fn start_pbx() -> (Asterisk, String) {
    let asterisk = Asterisk::start(SIMULATED);
    let configuration = configuration(asterisk.port);
    (asterisk, configuration)
}

#[test]
fn unread_log_pipe_does_not_delay_requests() {
    let (_asterisk, configuration) = start_pbx();
    let (bridge, reader) = LogReader::start_bridge_with_pipe(bridge_command(), &configuration);
    bridge.wait_ready();
    assert_survives_a_hanging_reader(&bridge, &reader);
    let log = bridge.log();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.into_iter().find(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("log lines were dropped")
    });
    assert!(line.expect("a line about dropped lines")["lines"].as_u64() > Some(0));
}

#[test]
fn unshare_hanging_journal_does_not_delay_requests() {
    let (_asterisk, configuration) = start_pbx();
    let (bridge, reader) = LogReader::start_bridge_with_journal(&bridge_command(), &configuration);
    bridge.wait_ready();
    assert_survives_a_hanging_reader(&bridge, &reader);
}

/// The bridge can't write the remaining lines, so it must exit without waiting for the reader.
#[test]
fn shutdown_does_not_wait_for_the_log_reader() {
    let (_asterisk, configuration) = start_pbx();
    let (bridge, reader) = LogReader::start_bridge_with_pipe(bridge_command(), &configuration);
    bridge.wait_ready();
    reader.pause();
    while dropped_lines(&bridge) == 0 {
        assert_works(&bridge);
    }
    let begun = Instant::now();
    bridge.terminate();
    let status = eventually("the bridge exits", || bridge.exit_status());
    assert!(status.success(), "{status}");
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
}
