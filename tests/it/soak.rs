//! A soak: mixed load with one fault after another. Afterwards memory is where
//! it was, and no descriptor is left over.
//!
//! The short form is part of the tests. The long one:
//! `AMI_BRIDGE_SOAK_SECONDS=1800 cargo test --release --test it soak -- --nocapture`

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::faults::Scene;
use crate::support::{ACME, Asterisk, Network, Proxy, eventually, on_both_generations};

on_both_generations!(memory_and_descriptors_stay_flat);

/// How long the soak lasts, and how much of that a fault has.
fn length() -> (Duration, Duration) {
    let seconds = std::env::var("AMI_BRIDGE_SOAK_SECONDS").ok();
    match seconds.and_then(|seconds| seconds.parse().ok()) {
        Some(seconds) => (Duration::from_secs(seconds), Duration::from_secs(20)),
        None => (Duration::from_secs(20), Duration::from_secs(2)),
    }
}

fn memory_and_descriptors_stay_flat(version: u32) {
    let (length, pause) = length();
    let mut scene = Scene::new(version, "soak");
    // The first rounds fill caches and buffers.
    for round in 0..2 {
        scene.fault(round, |_, proxy| proxy.cut());
    }
    let before = at_rest(&scene);
    let begun = Instant::now();
    let mut round = 2;
    while begun.elapsed() < length {
        let fault_begun = Instant::now();
        let reading = AtomicBool::new(true);
        let address = scene.bridge.address;
        std::thread::scope(|scope| {
            scope.spawn(|| read_without_pause(address, &reading));
            scene.fault(round, |asterisk, proxy| {
                fault(round, asterisk, proxy);
                sleep(pause.saturating_sub(fault_begun.elapsed()));
            });
            reading.store(false, Ordering::Relaxed);
        });
        round += 1;
    }
    let after = at_rest(&scene);
    println!(
        "soak of {:?}, {} faults: before {before:?}, after {after:?}",
        begun.elapsed(),
        round - 2
    );
    assert_eq!(after.descriptors, before.descriptors);
    // What an allocator keeps from peaks, and no more.
    assert!(
        after.kilobytes < before.kilobytes + before.kilobytes / 2,
        "{before:?} {after:?}"
    );
    scene.reckon();
}

/// Once every connection of the load has gone.
fn at_rest(scene: &Scene) -> crate::support::Usage {
    let mut last = scene.bridge.usage();
    eventually("the bridge is at rest", || {
        sleep(Duration::from_millis(200));
        let now = scene.bridge.usage();
        let rests = now.descriptors == last.descriptors && scene.bridge.is_ready();
        last = now;
        rests.then_some(now)
    })
}

fn fault(round: usize, asterisk: &mut Asterisk, proxy: &Proxy) {
    match round % 6 {
        0 => proxy.cut(),
        1 => {
            asterisk.kill();
            asterisk.start_again();
        }
        2 => proxy.truncate(),
        3 => {
            asterisk.cli("manager reload");
        }
        4 => {
            proxy.set(Network::Split);
            sleep(Duration::from_millis(500));
            proxy.set(Network::Sound);
        }
        _ => {
            asterisk.freeze();
            sleep(Duration::from_millis(1500));
            asterisk.thaw();
        }
    }
}

fn read_without_pause(address: std::net::SocketAddr, reading: &AtomicBool) {
    let mut connection = crate::support::KeptConnection::new(address);
    let mut queries = ["showqueue", "showqueuestat", "showstate&agent=1001"]
        .iter()
        .cycle();
    while reading.load(Ordering::Relaxed) {
        let action = queries.next().expect("a cycle");
        let target = format!(
            "{}?username={}&password={}&action={action}",
            crate::support::PATH,
            ACME.username,
            ACME.password
        );
        let response = connection.get(&target).expect("an answer");
        assert!([200, 503, 504].contains(&response.status), "{response:?}");
    }
}
