//! Many faults at the same time, under load: the log reader hangs, idle and slow clients
//! occupy all connections, failed logins use processor time, and the wall clock jumps. The
//! bridge must still read from Asterisk without pauses, send no change twice, and recover
//! after the faults.
//!
//! The faults last 12 seconds by default. To make them last a minute:
//! `AMI_BRIDGE_CHAOS_SECONDS=60 cargo test --release --test it chaos -- --nocapture`

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::clock_jumps::BridgeClock;
use super::{assert_members_match, asterisk_with_agents};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, API_PATH, Asterisk, Bridge, KeepAliveConnection, LogReader, Proxy, ReadPauseMonitor,
    ReadPauses, SetOnDrop, configuration, eventually, request, run_load,
};

/// The bridge's limit of file descriptors.
const DESCRIPTOR_LIMIT: u32 = 256;

/// The number of clients that connect but send nothing. Together with the other clients, they
/// exceed the bridge's connection limit.
const IDLE_CLIENTS: usize = 180;

/// The number of event streams whose clients do not read.
const UNREAD_STREAMS: usize = 40;

/// The number of clients that send a request byte by byte.
const SLOW_CLIENTS: usize = 10;

/// The number of clients that try wrong passwords.
const PASSWORD_GUESSERS: usize = 4;

/// The longest allowed pause in reading from Asterisk.
const MAX_READ_PAUSE: Duration = Duration::from_millis(50);

/// Serializes the tests in this file, because concurrent tests would distort the measurements.
static SERIAL: Mutex<()> = Mutex::new(());

/// Returns how long the faults last.
fn fault_duration() -> Duration {
    let seconds = std::env::var("AMI_BRIDGE_CHAOS_SECONDS").ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(12))
}

#[test]
fn faketime_all_faults_with_a_hanging_pipe_reader_asterisk_22() {
    let (asterisk, proxy, configuration) = start_pbx(22);
    let (command, clock) = limited_bridge_command();
    let (bridge, reader) = LogReader::start_bridge_with_pipe(command, &configuration);
    chaos("pipe", &asterisk, &proxy, bridge, &reader, &clock);
}

#[test]
fn faketime_unshare_all_faults_with_a_hanging_journal_asterisk_16() {
    let (asterisk, proxy, configuration) = start_pbx(16);
    let (command, clock) = limited_bridge_command();
    let (bridge, reader) = LogReader::start_bridge_with_journal(&command, &configuration);
    chaos("journal", &asterisk, &proxy, bridge, &reader, &clock);
}

/// Starts an Asterisk with 32 static agents, and a proxy. Returns both, and a bridge
/// configuration with the proxy's port.
fn start_pbx(version: u32) -> (Asterisk, Proxy, String) {
    let asterisk = asterisk_with_agents(version);
    let proxy = Proxy::start(asterisk.port);
    let configuration = configuration(proxy.port);
    (asterisk, proxy, configuration)
}

/// Returns a command that runs the bridge with a low limit of file descriptors, and the bridge's
/// clock.
fn limited_bridge_command() -> (Command, BridgeClock) {
    let mut command = Command::new("sh");
    let script = format!("ulimit -n {DESCRIPTOR_LIMIT}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_ami-bridge")]);
    let clock = BridgeClock::for_command(&mut command);
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
    let _serial = SERIAL.lock().unwrap_or_else(PoisonError::into_inner);
    bridge.wait_ready();
    let streams: Vec<_> = (0..UNREAD_STREAMS)
        .map(|_| EventClient::slow(bridge.address, ACME, ""))
        .collect();
    let (outcomes, (pauses, slowest)) = run_load(&bridge, "c", || {
        reader.pause();
        let monitor = ReadPauseMonitor::start(&bridge, proxy);
        let slowest = cause_faults(&bridge, clock);
        (monitor.stop(), slowest)
    });
    let (unwritten, _) = log_lines(&bridge);
    let begun = Instant::now();
    reader.resume();
    drop(streams);
    bridge.wait_ready();
    bridge.acme_ok("action=showqueue&fresh=1");
    let recovery = begun.elapsed();
    let (_, dropped) = log_lines(&bridge);
    if dropped > 0 {
        eventually("the dropped lines are logged", || {
            bridge
                .log()
                .contains("log lines were dropped")
                .then_some(())
        });
    }
    let tally = outcomes.check_against_queue_log(&asterisk.queue_log());
    println!(
        "chaos with a hanging {name} on Asterisk {}: {tally}; {pauses}; {dropped} log lines \
         dropped; slowest /readyz response {slowest:.1?}; recovered after {recovery:.1?}",
        asterisk.version
    );
    assert_members_match(&bridge, asterisk);
    assert!(tally.success > 100, "{tally}");
    assert_eq!((tally.unknown, tally.unanswered), (0, 0), "{tally}");
    let ReadPauses {
        longest_without_cpu_wait,
        samples,
        ..
    } = pauses;
    assert!(samples > 100, "{pauses}");
    assert!(longest_without_cpu_wait < MAX_READ_PAUSE, "{pauses}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert!(recovery < Duration::from_secs(5), "{recovery:?}");
    assert!(unwritten > 0, "no log line waited for the reader");
    let (status, log) = bridge.stop();
    assert!(status.success(), "{status}");
    assert!(!log.contains("link lost"), "the link was lost");
}

/// Returns the numbers of unwritten and dropped log lines.
fn log_lines(bridge: &Bridge) -> (u64, u64) {
    let health = request(bridge.admin, "GET", "/healthz", &[], b"").json();
    let count = |name: &str| health["log_lines"][name].as_u64().expect("a number");
    (count("waiting"), count("dropped"))
}

/// Causes all faults except the hanging log reader. Returns the admin listener's slowest
/// response time.
fn cause_faults(bridge: &Bridge, clock: &BridgeClock) -> Duration {
    let (done, evicted) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (done, evicted, address) = (&done, &evicted, bridge.address);
    let slowest = std::thread::scope(|scope| {
        let _stop_clients = SetOnDrop(done);
        scope.spawn(move || connect_idle_clients(address, done, evicted));
        scope.spawn(move || connect_slow_clients(address, done));
        for guesser in 0..PASSWORD_GUESSERS {
            scope.spawn(move || guess_passwords(address, guesser, done));
        }
        let begun = Instant::now();
        let mut slowest = Duration::ZERO;
        let mut offsets = [3600, -3600, 0].into_iter().cycle();
        let mut last_jump = begun;
        while begun.elapsed() < fault_duration() {
            if last_jump.elapsed() > Duration::from_secs(3) {
                clock.set_offset(offsets.next().expect("an endless cycle"));
                last_jump = Instant::now();
            }
            let request_begun = Instant::now();
            assert!(bridge.is_ready(), "the bridge is not ready");
            slowest = slowest.max(request_begun.elapsed());
            // Limits the request rate. No result depends on this delay.
            sleep(Duration::from_millis(50));
        }
        clock.set_offset(0);
        slowest
    });
    let evicted = evicted.load(Ordering::Relaxed);
    println!("the bridge closed {evicted} idle connections to make room");
    slowest
}

/// Opens connections that send nothing, and replaces those that the bridge closes.
fn connect_idle_clients(address: SocketAddr, done: &AtomicBool, evicted: &AtomicUsize) {
    let mut open: Vec<TcpStream> = Vec::new();
    while !done.load(Ordering::Relaxed) {
        while open.len() < IDLE_CLIENTS {
            let stream = TcpStream::connect(address).expect("a connection accepted by the kernel");
            stream.set_nonblocking(true).expect("a socket");
            open.push(stream);
        }
        let open_before = open.len();
        open.retain(|mut stream| match stream.read(&mut [0]) {
            Ok(_) => false,
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        });
        evicted.fetch_add(open_before - open.len(), Ordering::Relaxed);
        sleep(Duration::from_millis(50));
    }
}

/// Opens connections that send a request byte by byte and never complete it.
fn connect_slow_clients(address: SocketAddr, done: &AtomicBool) {
    let mut open: Vec<TcpStream> = Vec::new();
    while !done.load(Ordering::Relaxed) {
        open.retain_mut(|stream| stream.write_all(b"G").is_ok());
        while open.len() < SLOW_CLIENTS {
            open.push(TcpStream::connect(address).expect("a connection accepted by the kernel"));
        }
        sleep(Duration::from_millis(100));
    }
}

/// Tries wrong passwords. Checking a wrong password takes as long as checking a correct one.
fn guess_passwords(address: SocketAddr, guesser: usize, done: &AtomicBool) {
    let mut connection = KeepAliveConnection::new(address);
    for round in 0.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let query = format!("username=u{guesser}-{round}&password=x&action=showqueue");
        // The bridge may close the connection, because this client is unauthenticated.
        let _ = connection.get(&format!("{API_PATH}?{query}"));
    }
}
