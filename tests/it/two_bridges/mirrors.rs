//! What is changed through one bridge shows in the other's mirror.

use std::time::{Duration, Instant};

use super::{World, add_agents};
use crate::support::on_both_versions;

on_both_versions!(each_shows_what_the_other_changes);

/// Within which a change must show, says the interface's promise to those who run two.
const PROMISED: Duration = Duration::from_millis(100);

/// A wait of this length is no wait, but a change that does not show.
const NEVER: Duration = Duration::from_secs(10);

fn each_shows_what_the_other_changes(version: u32) {
    let world = World::start(version, "info");
    add_agents(world.bridge(0));
    let mut times: Vec<Duration> = Vec::new();
    for round in 0..200 {
        let [by, other] = [round % 2, (round + 1) % 2].map(|number| world.bridge(number));
        let reason = format!("seen-{round}");
        by.acme_ok(&format!(
            "action=pause&agent=1001&queue=6001&reason={reason}"
        ));
        let told = Instant::now();
        loop {
            let shown = other.acme_ok("action=showstate&agent=1001");
            if shown["reason"] == *reason {
                break;
            }
            assert!(told.elapsed() < NEVER, "{reason}: {shown}");
        }
        times.push(told.elapsed());
    }
    times.sort_unstable();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "two bridges, Asterisk {version}: a change shows in the other's mirror after {median:?} \
         (median), {longest:?} at the longest of {}",
        times.len()
    );
    // The median, since on a busy machine one of them can be held up by anything.
    assert!(median <= PROMISED, "{median:?}");
}
