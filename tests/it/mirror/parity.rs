//! Whenever random changes pause, the bridge shows the same as Asterisk, field by field.
//!
//! The test suite runs these tests for a short time. To run them for longer:
//! `AMI_BRIDGE_CHURN_SECONDS=600 cargo test --release --test it parity -- --nocapture`.
//! `AMI_BRIDGE_CHURN_SEED` repeats the random choices of an earlier run.

use std::time::{Duration, Instant};

use fastrand::Rng;

use super::churn::Churn;
use super::expected::{compare_all, rows, without_waits};
use super::{RESYNC, start_live};
use crate::support::{Ami, Bridge, on_both_versions, request};

on_both_versions!(
    changes_with_events_are_shown_within_two_seconds,
    changes_without_events_are_shown_by_the_next_resync,
);

fn changes_with_events_are_shown_within_two_seconds(version: u32) {
    assert_parity(version, false);
}

fn changes_without_events_are_shown_by_the_next_resync(version: u32) {
    assert_parity(version, true);
}

/// The log message if a resync found a member in another state than events had reported.
const DRIFT: &str = "a resync differs from the member state that events reported";

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

fn assert_parity(version: u32, silent: bool) {
    let length = Duration::from_secs(setting("AMI_BRIDGE_CHURN_SECONDS").unwrap_or(10));
    let seed = setting("AMI_BRIDGE_CHURN_SEED").unwrap_or_else(|| fastrand::u64(..));
    let mut rng = Rng::with_seed(seed);
    let (asterisk, bridge) = start_live(version);
    let churn = Churn::new(&asterisk, &bridge, silent);
    let mut check = ParityCheck {
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
        churn.settle_calls(&mut rng);
        rounds += 1;
        // In every fourth round, long enough for a resync of every queue.
        let hold = [MIN_HOLD, check.bound + RESYNC][usize::from(rounds % 4 == 0)];
        if let Err(differences) = check.settle(hold) {
            panic!(
                "Asterisk {version}, seed {seed}, round {rounds}, silent {silent}: {differences}\n\
                 most recent operations:\n{}drift:\n{}",
                churn.recent(),
                drift(&bridge).join("\n")
            );
        }
    }
    let drift = drift(&bridge);
    println!(
        "parity, Asterisk {version}, seed {seed}, silent changes {silent}: {} s, {rounds} rounds, \
         {}; {} comparisons equal in all of {} fields, 0 different at the end, {} different while \
         settling ({} after an equal one), slowest {} ms; {} drifts",
        begun.elapsed().as_secs(),
        churn.counts(),
        check.equal,
        check.fields,
        check.settling,
        check.reverted,
        check.slowest.as_millis(),
        drift.len()
    );
    // The metric does not depend on the wording of the log message.
    assert!(
        silent || drift_total(&bridge) == 0,
        "seed {seed}: {drift:#?}"
    );
}

/// The metric `ami_bridge_drift_total`.
fn drift_total(bridge: &Bridge) -> u64 {
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let name = "ami_bridge_drift_total{pbx=\"main\"} ";
    let value = metrics.lines().find_map(|line| line.strip_prefix(name));
    value.expect("the metric").parse().expect("a number")
}

/// The log lines about drift.
fn drift(bridge: &Bridge) -> Vec<String> {
    let log = bridge.log();
    let lines = log.lines().filter(|line| line.contains(DRIFT));
    lines.map(str::to_owned).collect()
}

/// Compares Asterisk and the bridge repeatedly, and counts the results.
struct ParityCheck<'a> {
    bridge: &'a Bridge,
    ami: Ami,
    /// How soon after Asterisk's last change both must be equal.
    bound: Duration,
    /// Comparisons that were equal in all fields.
    equal: usize,
    /// Fields compared in the equal comparisons.
    fields: usize,
    /// Comparisons that found a difference within the bound.
    settling: usize,
    /// Those of `settling` that followed an equal comparison, because of a late event.
    reverted: usize,
    /// The longest time from Asterisk's last change to an equal comparison.
    slowest: Duration,
}

/// How long both must stay equal in most rounds.
const MIN_HOLD: Duration = Duration::from_millis(300);

impl ParityCheck<'_> {
    /// Waits until both are equal and stay so for `hold`. Fails if they differ later than
    /// `bound` after Asterisk's last change.
    fn settle(&mut self, hold: Duration) -> Result<(), String> {
        let begun = Instant::now();
        let mut truth = without_waits(&rows(&mut self.ami));
        let mut changed = Instant::now();
        let mut equal_since: Option<Instant> = None;
        loop {
            if begun.elapsed() > Duration::from_secs(60) {
                return Err("Asterisk's state keeps changing".to_owned());
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
                        if was_equal {
                            ", after an equal comparison"
                        } else {
                            ""
                        },
                        comparison.differences.join("\n")
                    ));
                }
                self.reverted += usize::from(was_equal);
            }
            // Limits the rate of the comparisons. No result depends on this delay.
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
