//! A soak: mixed load with one fault after another. Afterwards memory is where
//! it was, and no descriptor is left over.
//!
//! The short form is part of the tests. The long one:
//! `AMI_BRIDGE_SOAK_SECONDS=1800 cargo test --release --test it soak -- --nocapture`

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::faults::consistency::Scene;
use crate::support::{ACME, Asterisk, Network, Proxy, SetOnDrop, eventually, on_both_versions};

on_both_versions!(memory_and_descriptors_stay_flat);

/// How long the soak lasts, and how much of that a fault has.
fn length() -> (Duration, Duration) {
    let seconds = std::env::var("AMI_BRIDGE_SOAK_SECONDS").ok();
    match seconds.and_then(|seconds| seconds.parse().ok()) {
        Some(seconds) => (Duration::from_secs(seconds), Duration::from_secs(20)),
        None => (Duration::from_secs(20), Duration::from_secs(2)),
    }
}

/// How long the arenas take to fill.
const ARENAS: Duration = Duration::from_secs(300);

fn memory_and_descriptors_stay_flat(version: u32) {
    let (length, pause) = length();
    let mut scene = Scene::new(version, "soak");
    // The first round of each fault fills caches, buffers and the allocator's arenas.
    for round in 0..FAULTS {
        one_round(&mut scene, round, Duration::ZERO);
    }
    let before = at_rest(&scene);
    let begun = Instant::now();
    let mut round = FAULTS;
    let mut memory = Vec::new();
    while begun.elapsed() < length {
        one_round(&mut scene, round, pause);
        memory.push(scene.bridge.usage().resident_kilobytes);
        round += 1;
    }
    let after = at_rest(&scene);
    println!(
        "soak of {} s, {} faults: before {before:?}, after {after:?}, kB after each fault: {memory:?}",
        begun.elapsed().as_secs(),
        round - FAULTS
    );
    scene.reckon();
    assert_eq!(after.descriptors, before.descriptors);
    // The allocator's arenas fill in the first minutes, to an end; what leaks goes on.
    if length / 2 > ARENAS {
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

/// Load with one fault, until the bridge is back; then its reckoning.
fn one_round(scene: &mut Scene, round: usize, pause: Duration) {
    let begun = Instant::now();
    let done = AtomicBool::new(false);
    let address = scene.bridge.address;
    std::thread::scope(|scope| {
        // Also where the round fails: else the reader goes on, and the test with it.
        let _end = SetOnDrop(&done);
        scope.spawn(|| read_until(address, &done));
        scene.fault(round, |asterisk, proxy| {
            fault(round, asterisk, proxy);
            sleep(pause.saturating_sub(begun.elapsed()));
        });
    });
    scene.settle();
}

/// Once every connection of the load has gone.
fn at_rest(scene: &Scene) -> crate::support::ResourceUsage {
    let mut last = scene.bridge.usage();
    eventually("the bridge is at rest", || {
        sleep(Duration::from_millis(200));
        let now = scene.bridge.usage();
        let rests = now.descriptors == last.descriptors && scene.bridge.is_ready();
        last = now;
        rests.then_some(now)
    })
}

/// How many kinds of fault there are.
const FAULTS: usize = 6;

fn fault(round: usize, asterisk: &mut Asterisk, proxy: &Proxy) {
    match round % FAULTS {
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

fn read_until(address: std::net::SocketAddr, done: &AtomicBool) {
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
