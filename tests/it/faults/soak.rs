//! A soak test: mixed load with one fault after another. Afterwards the bridge uses as much
//! memory and as many descriptors as before.
//!
//! The test is short by default. A long run:
//! `AMI_BRIDGE_SOAK_SECONDS=1800 cargo test --release --test it soak -- --nocapture`

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::consistency::FaultTest;
use crate::support::{ACME, Asterisk, Network, Proxy, SetOnDrop, eventually, on_both_versions};

on_both_versions!(memory_and_descriptors_do_not_grow);

/// The duration of the soak, and the minimum duration of each round.
fn durations() -> (Duration, Duration) {
    let seconds = std::env::var("AMI_BRIDGE_SOAK_SECONDS").ok();
    match seconds.and_then(|seconds| seconds.parse().ok()) {
        Some(seconds) => (Duration::from_secs(seconds), Duration::from_secs(20)),
        None => (Duration::from_secs(20), Duration::from_secs(2)),
    }
}

/// How long the arenas of the allocator keep growing.
const ARENA_GROWTH_TIME: Duration = Duration::from_secs(300);

fn memory_and_descriptors_do_not_grow(version: u32) {
    let (length, round_length) = durations();
    let mut test = FaultTest::new(version, "soak");
    // The first round of each fault fills caches, buffers and the arenas of the allocator.
    for round in 0..FAULT_KINDS {
        run_round(&mut test, round, Duration::ZERO);
    }
    let before = usage_at_rest(&test);
    let begun = Instant::now();
    let mut round = FAULT_KINDS;
    let mut memory = Vec::new();
    while begun.elapsed() < length {
        run_round(&mut test, round, round_length);
        memory.push(test.bridge.usage().resident_kilobytes);
        round += 1;
    }
    let after = usage_at_rest(&test);
    println!(
        "soak of {} s, {} faults: before {before:?}, after {after:?}, kB after each fault: {memory:?}",
        begun.elapsed().as_secs(),
        round - FAULT_KINDS
    );
    test.assert_consistent();
    assert_eq!(after.descriptors, before.descriptors);
    // The arenas of the allocator grow for the first minutes only. A leak keeps growing.
    if length / 2 > ARENA_GROWTH_TIME {
        let middle = memory[memory.len() / 2];
        assert!(
            after.resident_kilobytes < middle + 1024,
            "{middle} kB, then {after:?}"
        );
    }
    assert!(
        after.resident_kilobytes < before.resident_kilobytes + 8192,
        "{before:?}, then {after:?}"
    );
}

/// Runs load with one fault until the bridge is ready again, then checks the outcomes.
fn run_round(test: &mut FaultTest, round: usize, round_length: Duration) {
    let begun = Instant::now();
    let done = AtomicBool::new(false);
    let address = test.bridge.address;
    std::thread::scope(|scope| {
        // Ends the reader even if the round fails. Otherwise the scope would wait forever.
        let _end = SetOnDrop(&done);
        scope.spawn(|| read_repeatedly(address, &done));
        test.run_fault(round, |asterisk, proxy| {
            cause_fault(round, asterisk, proxy);
            sleep(round_length.saturating_sub(begun.elapsed()));
        });
    });
    test.check_queue_log();
}

/// Waits until all connections of the load are closed. Returns the resources of the bridge.
fn usage_at_rest(test: &FaultTest) -> crate::support::ResourceUsage {
    let mut last = test.bridge.usage();
    eventually("the bridge is at rest", || {
        sleep(Duration::from_millis(200));
        let now = test.bridge.usage();
        let is_at_rest = now.descriptors == last.descriptors && test.bridge.is_ready();
        last = now;
        is_at_rest.then_some(now)
    })
}

/// The number of kinds of fault.
const FAULT_KINDS: usize = 6;

fn cause_fault(round: usize, asterisk: &mut Asterisk, proxy: &Proxy) {
    match round % FAULT_KINDS {
        0 => proxy.close_connections(),
        1 => {
            asterisk.kill();
            asterisk.restart();
        }
        2 => proxy.truncate_next_read(),
        3 => {
            asterisk.cli("manager reload");
        }
        4 => {
            proxy.set_network(Network::SingleBytes);
            sleep(Duration::from_millis(500));
            proxy.set_network(Network::Normal);
        }
        _ => {
            asterisk.freeze();
            sleep(Duration::from_millis(1500));
            asterisk.resume();
        }
    }
}

fn read_repeatedly(address: std::net::SocketAddr, done: &AtomicBool) {
    let mut connection = crate::support::KeepAliveConnection::new(address);
    let mut queries = ["showqueue", "showqueuestat", "showstate&agent=1001"]
        .iter()
        .cycle();
    while !done.load(Ordering::Relaxed) {
        let action = queries.next().expect("a cycle");
        let target = format!(
            "{}?username={}&password={}&action={action}",
            crate::support::API_PATH,
            ACME.username,
            ACME.password
        );
        let response = connection.get(&target).expect("an answer");
        assert!([200, 503, 504].contains(&response.status), "{response:?}");
    }
}
