//! Everything outside fails at once, under load: whoever reads the log hangs, strangers
//! and slow clients take every connection, logins cost processor time, and the clock jumps.
//! The PBX is read all the time, nothing is sent twice, and afterwards all is well.
//!
//! The short form is part of the tests. The long one:
//! `AMI_BRIDGE_CHAOS_SECONDS=60 cargo test --release --test it chaos -- --nocapture`

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::faults::clock_jumps::BridgeClock;
use crate::stream::client::EventClient;
use crate::support::{
    ACME, API_PATH, Asterisk, Bridge, KeepAliveConnection, LogReader, Proxy, ReadPauseMonitor,
    ReadPauses, SetOnDrop, configuration, eventually, request, run_load,
};

/// Descriptors of the bridge.
const LIMIT: u32 = 256;

/// Clients who connect and do nothing: with the others, more than there is room for.
const STRANGERS: usize = 180;

/// Event streams that nobody reads.
const STREAMS: usize = 40;

/// Clients who send a byte now and then.
const DRIBBLERS: usize = 10;

/// Clients who guess passwords.
const GUESSERS: usize = 4;

/// How long reading may pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Two at once would measure each other.
static ALONE: Mutex<()> = Mutex::new(());

fn length() -> Duration {
    let seconds = std::env::var("AMI_BRIDGE_CHAOS_SECONDS").ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(12))
}

#[test]
fn faketime_with_a_stuck_pipe_asterisk_22() {
    let (asterisk, proxy, configuration) = pbx(22);
    let (command, clock) = limited();
    let (bridge, reader) = LogReader::start_bridge_with_pipe(command, &configuration);
    chaos("pipe", &asterisk, &proxy, bridge, &reader, &clock);
}

#[test]
fn faketime_unshare_with_a_stuck_journal_asterisk_16() {
    let (asterisk, proxy, configuration) = pbx(16);
    let (command, clock) = limited();
    let (bridge, reader) = LogReader::start_bridge_with_journal(&command, &configuration);
    chaos("journal", &asterisk, &proxy, bridge, &reader, &clock);
}

/// An Asterisk with 32 agents of its own configuration, behind a proxy.
fn pbx(version: u32) -> (Asterisk, Proxy, String) {
    let mut queues = "[general]\n[acme-6001]\n".to_owned();
    for agent in 1001..1033 {
        let _ = writeln!(queues, "member => Local/{agent}@acme-agents,0,{agent}");
    }
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    let proxy = Proxy::start(asterisk.port);
    let configuration = configuration(proxy.port);
    (asterisk, proxy, configuration)
}

/// The bridge with few descriptors, and a clock that can be set.
fn limited() -> (Command, BridgeClock) {
    let mut command = Command::new("sh");
    let script = format!("ulimit -n {LIMIT}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_ami-bridge")]);
    let clock = BridgeClock::of(&mut command);
    (command, clock)
}

fn chaos(
    name: &str,
    asterisk: &Asterisk,
    proxy: &Proxy,
    bridge: Bridge,
    reader: &LogReader,
    clock: &BridgeClock,
) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    bridge.wait_ready();
    let streams: Vec<_> = (0..STREAMS)
        .map(|_| EventClient::slow(bridge.address, ACME, ""))
        .collect();
    let (answers, (pauses, slowest)) = run_load(&bridge, "c", || {
        reader.pause();
        let watch = ReadPauseMonitor::start(&bridge, proxy);
        let slowest = everything_at_once(&bridge, clock);
        (watch.stop(), slowest)
    });
    let (waiting, _) = log_lines(&bridge);
    let begun = Instant::now();
    reader.resume();
    drop(streams);
    bridge.wait_ready();
    bridge.acme_ok("action=showqueue&fresh=1");
    let back = begun.elapsed();
    let (_, dropped) = log_lines(&bridge);
    if dropped > 0 {
        eventually("what was lost is said", || {
            bridge
                .log()
                .contains("log lines were dropped")
                .then_some(())
        });
    }
    let tally = answers.check_against_queue_log(&asterisk.queue_log());
    println!(
        "chaos with a stuck {name} on Asterisk {}: {tally}; {pauses}; {dropped} log lines \
         dropped; slowest answer of /healthz {slowest:.1?}; well again after {back:.1?}",
        asterisk.version
    );
    is_as_asterisk_says(&bridge, asterisk);
    assert!(tally.success > 100, "{tally}");
    assert_eq!((tally.unknown, tally.unanswered), (0, 0), "{tally}");
    let ReadPauses {
        longest_without_cpu_wait,
        samples,
        ..
    } = pauses;
    assert!(samples > 100, "{pauses}");
    assert!(longest_without_cpu_wait < LONGEST_PAUSE, "{pauses}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert!(back < Duration::from_secs(5), "{back:?}");
    assert!(waiting > 0, "the log was never stuck");
    let (status, log) = bridge.stop();
    assert!(status.success(), "{status}");
    assert!(!log.contains("link lost"), "the link was lost");
}

/// Lines that wait, and that were dropped.
fn log_lines(bridge: &Bridge) -> (u64, u64) {
    let health = request(bridge.admin, "GET", "/healthz", &[], b"").json();
    let count = |name: &str| health["log_lines"][name].as_u64().expect("a number");
    (count("waiting"), count("dropped"))
}

/// Returns the longest time that the listener for operations took to answer.
fn everything_at_once(bridge: &Bridge, clock: &BridgeClock) -> Duration {
    let (done, evicted) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (done, evicted, address) = (&done, &evicted, bridge.address);
    let slowest = std::thread::scope(|scope| {
        let _end = SetOnDrop(done);
        scope.spawn(move || strangers(address, done, evicted));
        scope.spawn(move || dribblers(address, done));
        for guesser in 0..GUESSERS {
            scope.spawn(move || guess(address, guesser, done));
        }
        let begun = Instant::now();
        let mut slowest = Duration::ZERO;
        let mut offsets = [3600, -3600, 0].into_iter().cycle();
        let mut step = begun;
        while begun.elapsed() < length() {
            if step.elapsed() > Duration::from_secs(3) {
                clock.set_offset(offsets.next().expect("a cycle"));
                step = Instant::now();
            }
            let asked = Instant::now();
            assert!(bridge.is_ready(), "the link must live");
            slowest = slowest.max(asked.elapsed());
            // Paces the questions; nothing depends on its length.
            sleep(Duration::from_millis(50));
        }
        clock.set_offset(0);
        slowest
    });
    let evicted = evicted.load(Ordering::Relaxed);
    println!("{evicted} idle connections of strangers were closed to make room");
    slowest
}

/// Connect and do nothing, and again when they are sent away.
fn strangers(address: SocketAddr, done: &AtomicBool, evicted: &AtomicUsize) {
    let mut open: Vec<TcpStream> = Vec::new();
    while !done.load(Ordering::Relaxed) {
        while open.len() < STRANGERS {
            let stream = TcpStream::connect(address).expect("the system takes it");
            stream.set_nonblocking(true).expect("a socket");
            open.push(stream);
        }
        let before = open.len();
        open.retain(|mut stream| match stream.read(&mut [0]) {
            Ok(_) => false,
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        });
        evicted.fetch_add(before - open.len(), Ordering::Relaxed);
        sleep(Duration::from_millis(50));
    }
}

/// Send a byte of a head now and then, and never a whole one.
fn dribblers(address: SocketAddr, done: &AtomicBool) {
    let mut open: Vec<TcpStream> = Vec::new();
    while !done.load(Ordering::Relaxed) {
        open.retain_mut(|stream| stream.write_all(b"G").is_ok());
        while open.len() < DRIBBLERS {
            open.push(TcpStream::connect(address).expect("the system takes it"));
        }
        sleep(Duration::from_millis(100));
    }
}

/// Passwords that cost as much as right ones.
fn guess(address: SocketAddr, guesser: usize, done: &AtomicBool) {
    let mut connection = KeepAliveConnection::new(address);
    for round in 0.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let query = format!("username=u{guesser}-{round}&password=x&action=showqueue");
        // It may be sent away, as any stranger.
        let _ = connection.get(&format!("{API_PATH}?{query}"));
    }
}

fn is_as_asterisk_says(bridge: &Bridge, asterisk: &Asterisk) {
    let shown = bridge.acme_ok("action=showqueue&queue=6001");
    let shown = shown["queues"][0]["members"].as_array().expect("members");
    let truth = asterisk.ami().members("acme-6001");
    assert_eq!(shown.len(), truth.len());
    for (member, row) in shown.iter().zip(truth) {
        assert_eq!(member["interface"], row["Location"].as_str());
        assert_eq!(member["paused"], row["Paused"] == "1");
        let reason = member["paused_reason"].as_str().unwrap_or_default();
        assert_eq!(reason, row["PausedReason"]);
    }
}
