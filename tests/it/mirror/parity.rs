//! After each burst of random changes, every field that the bridge shows matches Asterisk.
//!
//! By default, each test takes 10 seconds. To run longer:
//! `AMI_BRIDGE_CHURN_SECONDS=600 cargo test --release --test it parity -- --nocapture`.
//! To repeat the random choices of an earlier run, set `AMI_BRIDGE_CHURN_SEED` to its seed.

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

/// The log message about a resync that lists a member in a different state than events had
/// reported.
const DRIFT: &str = "a resync differs from the member state that events reported";

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

fn assert_parity(version: u32, is_silent: bool) {
    let duration = Duration::from_secs(setting("AMI_BRIDGE_CHURN_SECONDS").unwrap_or(10));
    let seed = setting("AMI_BRIDGE_CHURN_SEED").unwrap_or_else(|| fastrand::u64(..));
    let mut rng = Rng::with_seed(seed);
    let (asterisk, bridge) = start_live(version);
    let churn = Churn::new(&asterisk, &bridge, is_silent);
    let mut check = ParityCheck {
        bridge: &bridge,
        ami: asterisk.ami(),
        bound: Duration::from_secs(2) + if is_silent { RESYNC } else { Duration::ZERO },
        equal: 0,
        fields: 0,
        settling: 0,
        reverted: 0,
        slowest: Duration::ZERO,
    };
    let begun = Instant::now();
    let mut rounds = 0;
    while begun.elapsed() < duration {
        churn.burst(&mut rng, Duration::from_millis(rounds % 4 * 500 + 200));
        churn.settle_calls(&mut rng);
        rounds += 1;
        // In every fourth round, the states must stay equal long enough for a resync of every
        // queue.
        let hold = [MIN_HOLD, check.bound + RESYNC][usize::from(rounds % 4 == 0)];
        if let Err(differences) = check.settle(hold) {
            panic!(
                "Asterisk {version}, seed {seed}, round {rounds}, silent changes {is_silent}: \
                 {differences}\nmost recent operations:\n{}drift:\n{}",
                churn.recent(),
                drift_lines(&bridge).join("\n")
            );
        }
    }
    let drift_lines = drift_lines(&bridge);
    println!(
        "parity, Asterisk {version}, seed {seed}, silent changes {is_silent}: {} s, \
         {rounds} rounds, {}; {} comparisons without a difference in {} fields, {} comparisons with differences \
         before the bridge caught up ({} after an equal comparison), slowest {} ms; {} drifts",
        begun.elapsed().as_secs(),
        churn.counts(),
        check.equal,
        check.fields,
        check.settling,
        check.reverted,
        check.slowest.as_millis(),
        drift_lines.len()
    );
    // Checks the metric, because it does not depend on the wording of the log message.
    assert!(
        is_silent || drift_total(&bridge) == 0,
        "seed {seed}: {drift_lines:#?}"
    );
}

/// Returns the metric `ami_bridge_drift_total`.
fn drift_total(bridge: &Bridge) -> u64 {
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let name = "ami_bridge_drift_total{pbx=\"main\"} ";
    let value = metrics.lines().find_map(|line| line.strip_prefix(name));
    value.expect("a metric value").parse().expect("a number")
}

/// Returns the log lines about drift.
fn drift_lines(bridge: &Bridge) -> Vec<String> {
    let log = bridge.log();
    let lines = log.lines().filter(|line| line.contains(DRIFT));
    lines.map(str::to_owned).collect()
}

/// Compares Asterisk's state with the bridge's state repeatedly, and counts the results.
struct ParityCheck<'a> {
    bridge: &'a Bridge,
    ami: Ami,
    /// The time after Asterisk's last change within which the states must become equal.
    bound: Duration,
    /// The number of comparisons without a difference.
    equal: usize,
    /// The number of fields in the comparisons without a difference.
    fields: usize,
    /// The number of comparisons with a difference within `bound`.
    settling: usize,
    /// The number of `settling` comparisons that followed an equal comparison. Late events cause
    /// them.
    reverted: usize,
    /// The longest time from Asterisk's last change to an equal comparison.
    slowest: Duration,
}

/// How long the states must stay equal in most rounds.
const MIN_HOLD: Duration = Duration::from_millis(300);

impl ParityCheck<'_> {
    /// Waits until the states have been equal for `hold`. Fails if they differ when `bound` has
    /// passed since Asterisk's last change.
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
            // Limits the comparison rate. No result depends on this delay.
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
