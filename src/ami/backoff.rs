//! How long to wait before the next attempt to link. Pure.

use std::time::Duration;

/// Doubling delays with jitter, so that many bridges that lost one Asterisk at
/// the same moment don't come back at the same moment.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// How long a link must have been up for the delays to begin anew.
pub(super) const HEALTHY_AFTER: Duration = Duration::from_secs(5);

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// The delay before the next attempt; `random` is within 0 to 1.
    pub(super) fn next(&mut self, random: f64) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(LONGEST);
        delay.mul_f64(0.5 + random / 2.0)
    }

    /// Begins anew after a link that was up for that long.
    pub(super) fn reset_after(&mut self, healthy: Duration) {
        if healthy >= HEALTHY_AFTER {
            self.next = FIRST;
        }
    }

    /// The delay that is used when trying soon can't help.
    #[must_use]
    pub(super) fn longest() -> Duration {
        LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_begin_anew_after_health() {
        let mut backoff = Backoff::default();
        let delays: Vec<_> = (0..9).map(|_| backoff.next(1.0).as_secs_f64()).collect();
        assert_eq!(delays, [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
        backoff.reset_after(HEALTHY_AFTER - Duration::from_millis(1));
        assert_eq!(backoff.next(0.0), LONGEST / 2);
        backoff.reset_after(HEALTHY_AFTER);
        assert_eq!(backoff.next(0.0), FIRST / 2);
    }
}
