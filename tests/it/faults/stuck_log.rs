//! Whoever reads the log may hang: nothing that serves waits for it, and what was lost
//! is counted and said.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{ACME, Asterisk, Bridge, LogReader, SIMULATED, bridge_command, configuration};
use crate::support::{eventually, request};

/// A request takes milliseconds; this leaves room for a busy machine.
const SOON: Duration = Duration::from_secs(2);

/// More lines than the queue, the pipe and the journal hold.
const REQUESTS: usize = 3000;

fn dropped(bridge: &Bridge) -> u64 {
    let health = request(bridge.admin, "GET", "/healthz", &[], b"");
    assert_eq!(health.status, 200);
    health.json()["log_lines"]["dropped"]
        .as_u64()
        .expect("a number")
}

/// Everything goes on: reads, changes, what asks Asterisk, and the state of both.
fn everything_works(bridge: &Bridge) -> Duration {
    let begun = Instant::now();
    for query in [
        "action=add&agent=1001&queue=6001",
        "action=showqueue&fresh=1",
        "action=remove&agent=1001&queue=6001",
    ] {
        bridge.get_ok(ACME, query);
    }
    assert!(bridge.is_ready());
    dropped(bridge);
    begun.elapsed()
}

fn is_no_matter(bridge: &Bridge, reader: &LogReader) {
    reader.pause();
    let mut slowest = Duration::ZERO;
    let mut count = 0;
    while dropped(bridge) == 0 {
        // At the level of traces each request has many lines.
        slowest = slowest.max(everything_works(bridge));
        count += 1;
        assert!(count < REQUESTS, "nothing was dropped after {count} rounds");
    }
    slowest = slowest.max(everything_works(bridge));
    println!("{count} rounds without a reader, the slowest took {slowest:?}");
    assert!(slowest < SOON, "{slowest:?}");
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("ami_bridge_log_lines_dropped_total "));
    let counted: u64 = line
        .expect("the metric")
        .rsplit(' ')
        .next()
        .expect("a value")
        .parse()
        .expect("a number");
    assert!(counted > 0, "{metrics}");
    reader.resume();
    eventually("what was lost is said", || {
        let log = bridge.log();
        log.contains("log lines were dropped").then_some(())
    });
    everything_works(bridge);
}

fn started() -> (Asterisk, String) {
    let asterisk = Asterisk::start(SIMULATED);
    let configuration = configuration(asterisk.port);
    (asterisk, configuration)
}

#[test]
fn a_pipe_that_nobody_reads_is_no_matter() {
    let (_asterisk, configuration) = started();
    let (bridge, reader) = LogReader::start_bridge_with_pipe(bridge_command(), &configuration);
    bridge.wait_ready();
    is_no_matter(&bridge, &reader);
    let said = bridge.log();
    let lines = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.into_iter().find(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("log lines were dropped")
    });
    assert!(line.expect("the line")["lines"].as_u64() > Some(0));
}

#[test]
fn unshare_a_journal_that_hangs_is_no_matter() {
    let (_asterisk, configuration) = started();
    let (bridge, reader) = LogReader::start_bridge_with_journal(&bridge_command(), &configuration);
    bridge.wait_ready();
    is_no_matter(&bridge, &reader);
}

/// Nobody will ever read what is left.
#[test]
fn an_end_does_not_wait_for_a_reader() {
    let (_asterisk, configuration) = started();
    let (bridge, reader) = LogReader::start_bridge_with_pipe(bridge_command(), &configuration);
    bridge.wait_ready();
    reader.pause();
    while dropped(&bridge) == 0 {
        everything_works(&bridge);
    }
    let begun = Instant::now();
    bridge.terminate();
    let status = eventually("it ends", || bridge.exit_status());
    assert!(status.success(), "{status}");
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
}
