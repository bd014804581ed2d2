//! A change made through one bridge appears in the other bridge's mirror.

use std::time::{Duration, Instant};

use super::{Setup, add_agents};
use crate::support::on_both_versions;

on_both_versions!(each_bridge_shows_changes_made_through_the_other);

/// The documented delay until a change made through one bridge appears in the other bridge's
/// mirror.
const PROMISED_DELAY: Duration = Duration::from_millis(100);

/// The test fails if a change does not appear within this time.
const GIVE_UP_AFTER: Duration = Duration::from_secs(10);

fn each_bridge_shows_changes_made_through_the_other(version: u32) {
    let setup = Setup::start(version, "info");
    add_agents(setup.bridge(0));
    let mut times: Vec<Duration> = Vec::new();
    for round in 0..200 {
        let [changing, other] = [round % 2, (round + 1) % 2].map(|number| setup.bridge(number));
        let reason = format!("seen-{round}");
        changing.acme_ok(&format!(
            "action=pause&agent=1001&queue=6001&reason={reason}"
        ));
        let acknowledged = Instant::now();
        loop {
            let state = other.acme_ok("action=showstate&agent=1001");
            if state["reason"] == *reason {
                break;
            }
            assert!(acknowledged.elapsed() < GIVE_UP_AFTER, "{reason}: {state}");
        }
        times.push(acknowledged.elapsed());
    }
    times.sort_unstable();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "two bridges, Asterisk {version}: a change appears in the other mirror after {median:?} \
        (median), at most {longest:?}, of {} changes",
        times.len()
    );
    // Only the median counts, because a busy machine can delay individual changes.
    assert!(median <= PROMISED_DELAY, "{median:?}");
}
