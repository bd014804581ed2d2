//! At every quiet point of a churn the bridge shows, field by field, what Asterisk
//! tells.
//!
//! The short form is part of the tests. The long one:
//! `AMI_BRIDGE_CHURN_SECONDS=600 cargo test --release --test it parity -- --nocapture`;
//! `AMI_BRIDGE_CHURN_SEED` repeats the choices of a run.

use std::time::{Duration, Instant};

use fastrand::Rng;

use super::churn::Churn;
use super::expected::{at_rest, compare_all, rows};
use super::{RESYNC, start_live};
use crate::support::{Ami, Bridge, on_both_versions};

on_both_versions!(
    what_has_events_is_shown_within_two_seconds,
    what_is_silent_is_shown_by_the_next_resync,
);

fn what_has_events_is_shown_within_two_seconds(version: u32) {
    parity(version, false);
}

fn what_is_silent_is_shown_by_the_next_resync(version: u32) {
    parity(version, true);
}

/// What the log says of a member that a resync has found otherwise.
const DRIFT: &str = "a resync lists a member otherwise than events had reported it";

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

fn parity(version: u32, silent: bool) {
    let length = Duration::from_secs(setting("AMI_BRIDGE_CHURN_SECONDS").unwrap_or(10));
    let seed = setting("AMI_BRIDGE_CHURN_SEED").unwrap_or_else(|| fastrand::u64(..));
    let mut rng = Rng::with_seed(seed);
    let (asterisk, bridge) = start_live(version);
    let churn = Churn::new(&asterisk, &bridge, silent);
    let mut looks = Looks {
        bridge: &bridge,
        ami: asterisk.ami(),
        bound: Duration::from_secs(2) + if silent { RESYNC } else { Duration::ZERO },
        equal: 0,
        fields: 0,
        settling: 0,
        reverted: 0,
        slowest: Duration::ZERO,
    };
    let begun = Instant::now();
    let mut rounds = 0;
    while begun.elapsed() < length {
        churn.burst(&mut rng, Duration::from_millis(rounds % 4 * 500 + 200));
        churn.rest(&mut rng);
        rounds += 1;
        // Now and then long enough for every queue to be asked about again.
        let hold = [SECOND_LOOK, looks.bound + RESYNC][usize::from(rounds % 4 == 0)];
        if let Err(differences) = looks.settle(hold) {
            panic!(
                "Asterisk {version}, seed {seed}, round {rounds}, silent {silent}: {differences}\n\
                 the last operations:\n{}drift:\n{}",
                churn.recent(),
                drift(&bridge).join("\n")
            );
        }
    }
    let drift = drift(&bridge);
    println!(
        "parity, Asterisk {version}, seed {seed}, silent changes {silent}: {} s, {rounds} quiet \
         points, {}; {} looks equal in all of {} fields, 0 different at the end, {} looks while \
         settling ({} behind an equal one), slowest {} ms; {} drifts",
        begun.elapsed().as_secs(),
        churn.counts(),
        looks.equal,
        looks.fields,
        looks.settling,
        looks.reverted,
        looks.slowest.as_millis(),
        drift.len()
    );
    assert!(silent || drift.is_empty(), "seed {seed}: {drift:#?}");
}

fn drift(bridge: &Bridge) -> Vec<String> {
    let log = bridge.log();
    let lines = log.lines().filter(|line| line.contains(DRIFT));
    lines.map(str::to_owned).collect()
}

/// Looks at both.
struct Looks<'a> {
    bridge: &'a Bridge,
    ami: Ami,
    bound: Duration,
    /// Looks that were equal in all fields.
    equal: usize,
    fields: usize,
    /// Looks that were not, within the bound.
    settling: usize,
    /// Of those, how many came after one that was equal: a late event.
    reverted: usize,
    slowest: Duration,
}

/// Between the first look that is equal and the second.
const SECOND_LOOK: Duration = Duration::from_millis(300);

impl Looks<'_> {
    /// Waits until both are equal: within the bound since Asterisk last changed, and
    /// so for as long as they are to hold.
    fn settle(&mut self, hold: Duration) -> Result<(), String> {
        let begun = Instant::now();
        let mut truth = at_rest(&rows(&mut self.ami));
        let mut changed = Instant::now();
        let mut equal_since: Option<Instant> = None;
        loop {
            if begun.elapsed() > Duration::from_secs(60) {
                return Err("Asterisk does not come to rest".to_owned());
            }
            let (comparison, after) = compare_all(self.bridge, &mut self.ami);
            if after != truth {
                (truth, changed, equal_since) = (after, Instant::now(), None);
            } else if comparison.differences.is_empty() {
                self.equal += 1;
                self.fields += comparison.fields;
                let since = *equal_since.get_or_insert_with(|| {
                    self.slowest = self.slowest.max(changed.elapsed());
                    Instant::now()
                });
                if since.elapsed() >= hold {
                    return Ok(());
                }
            } else {
                self.settling += 1;
                let was_equal = equal_since.take().is_some();
                if changed.elapsed() > self.bound {
                    return Err(format!(
                        "{} ms after the last change{}:\n{}",
                        changed.elapsed().as_millis(),
                        if was_equal { ", and equal before" } else { "" },
                        comparison.differences.join("\n")
                    ));
                }
                self.reverted += usize::from(was_equal);
            }
            // Paces the looks; nothing depends on its length.
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
