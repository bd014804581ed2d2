//! A change through one bridge appears in the mirror of the other.

use std::time::{Duration, Instant};

use super::{Setup, add_agents};
use crate::support::on_both_versions;

on_both_versions!(each_bridge_shows_changes_made_through_the_other);

/// The documented time within which a change made through one bridge appears in the other.
const PROMISED: Duration = Duration::from_millis(100);

/// After this time the test fails, since the change evidently does not appear.
const GIVE_UP_AFTER: Duration = Duration::from_secs(10);

fn each_bridge_shows_changes_made_through_the_other(version: u32) {
    let setup = Setup::start(version, "info");
    add_agents(setup.bridge(0));
    let mut times: Vec<Duration> = Vec::new();
    for round in 0..200 {
        let [by, other] = [round % 2, (round + 1) % 2].map(|number| setup.bridge(number));
        let reason = format!("seen-{round}");
        by.acme_ok(&format!(
            "action=pause&agent=1001&queue=6001&reason={reason}"
        ));
        let acknowledged = Instant::now();
        loop {
            let shown = other.acme_ok("action=showstate&agent=1001");
            if shown["reason"] == *reason {
                break;
            }
            assert!(acknowledged.elapsed() < GIVE_UP_AFTER, "{reason}: {shown}");
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
    // Only the median counts, since a busy machine can delay single changes.
    assert!(median <= PROMISED, "{median:?}");
}
