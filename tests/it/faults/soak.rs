//! A soak test: mixed load with one fault after another. The bridge's memory and descriptor
//! usage must not grow.
//!
//! The test takes 20 seconds by default. To run it for half an hour:
//! `AMI_BRIDGE_SOAK_SECONDS=1800 cargo test --release --test it soak -- --nocapture`

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::consistency::FaultTest;
use crate::support::{ACME, Asterisk, Network, Proxy, SetOnDrop, eventually, on_both_versions};

on_both_versions!(memory_and_descriptors_do_not_grow);

/// Returns the duration of the soak test and the minimum duration of each round.
fn durations() -> (Duration, Duration) {
    let seconds = std::env::var("AMI_BRIDGE_SOAK_SECONDS").ok();
    match seconds.and_then(|seconds| seconds.parse().ok()) {
        Some(seconds) => (Duration::from_secs(seconds), Duration::from_secs(20)),
        None => (Duration::from_secs(20), Duration::from_secs(2)),
    }
}

/// How long the allocator's arenas keep growing.
const ARENA_GROWTH_TIME: Duration = Duration::from_secs(300);

fn memory_and_descriptors_do_not_grow(version: u32) {
    let (duration, min_round_duration) = durations();
    let mut test = FaultTest::new(version, "soak");
    // The first round of each fault fills caches, buffers and the allocator's arenas.
    for round in 0..FAULT_COUNT {
        run_round(&mut test, round, Duration::ZERO);
    }
    let before = idle_usage(&test);
    let begun = Instant::now();
    let mut round = FAULT_COUNT;
    let mut memory = Vec::new();
    while begun.elapsed() < duration {
        run_round(&mut test, round, min_round_duration);
        memory.push(test.bridge.usage().resident_kilobytes);
        round += 1;
    }
    let after = idle_usage(&test);
    println!(
        "soak of {} s, {} faults: before {before:?}, after {after:?}, kB after each fault: {memory:?}",
        begun.elapsed().as_secs(),
        round - FAULT_COUNT
    );
    test.assert_consistent();
    assert_eq!(after.descriptors, before.descriptors);
    // The allocator's arenas grow only in the first minutes, but a leak keeps growing.
    if duration / 2 > ARENA_GROWTH_TIME {
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

/// Runs load with one fault for at least `min_duration` and until the bridge is ready again.
/// Checks the outcomes.
fn run_round(test: &mut FaultTest, round: usize, min_duration: Duration) {
    let begun = Instant::now();
    let done = AtomicBool::new(false);
    let address = test.bridge.address;
    std::thread::scope(|scope| {
        // Stops the reader even if the round fails. Otherwise the scope would wait forever.
        let _stop_reader = SetOnDrop(&done);
        scope.spawn(|| read_repeatedly(address, &done));
        test.run_fault(round, |asterisk, proxy| {
            cause_fault(round, asterisk, proxy);
            sleep(min_duration.saturating_sub(begun.elapsed()));
        });
    });
    test.check_queue_log();
}

/// Waits until the load's connections are closed. Returns the bridge's resource usage.
fn idle_usage(test: &FaultTest) -> crate::support::ResourceUsage {
    let mut last = test.bridge.usage();
    eventually("the bridge is idle", || {
        sleep(Duration::from_millis(200));
        let now = test.bridge.usage();
        let is_idle = now.descriptors == last.descriptors && test.bridge.is_ready();
        last = now;
        is_idle.then_some(now)
    })
}

/// The number of different faults.
const FAULT_COUNT: usize = 6;

fn cause_fault(round: usize, asterisk: &mut Asterisk, proxy: &Proxy) {
    match round % FAULT_COUNT {
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
    let mut actions = ["showqueue", "showqueuestat", "showstate&agent=1001"]
        .iter()
        .cycle();
    while !done.load(Ordering::Relaxed) {
        let action = actions.next().expect("an endless cycle");
        let target = format!(
            "{}?username={}&password={}&action={action}",
            crate::support::API_PATH,
            ACME.username,
            ACME.password
        );
        let response = connection.get(&target).expect("a response");
        assert!([200, 503, 504].contains(&response.status), "{response:?}");
    }
}
