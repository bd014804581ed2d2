//! The delay before the next connection attempt. Does no IO and never reads the clock.

use std::time::Duration;

/// Exponential backoff with jitter. If several bridges lose the same Asterisk at the same
/// moment, the jitter spreads their connection attempts.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

const FIRST_DELAY: Duration = Duration::from_millis(250);
const MAX_DELAY: Duration = Duration::from_secs(30);

/// A link that has been up for at least this long resets the delay.
const MIN_UPTIME: Duration = Duration::from_secs(5);

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST_DELAY }
    }
}

impl Backoff {
    /// Returns the delay before the next attempt. One half of the delay is fixed; the other
    /// half is scaled by `random`, a number from 0 to 1.
    pub(super) fn next_delay(&mut self, random: f64) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(MAX_DELAY);
        delay.mul_f64(0.5 + random / 2.0)
    }

    /// Resets the delay to [`FIRST_DELAY`] if `uptime` is at least [`MIN_UPTIME`].
    pub(super) fn reset_if_stable(&mut self, uptime: Duration) {
        if uptime >= MIN_UPTIME {
            self.next = FIRST_DELAY;
        }
    }

    /// Returns the longest delay, for failures that a quick retry won't fix.
    #[must_use]
    pub(super) fn max_delay() -> Duration {
        MAX_DELAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_doubles_up_to_a_limit_and_resets_after_a_stable_link() {
        let mut backoff = Backoff::default();
        let delays: Vec<_> = (0..9)
            .map(|_| backoff.next_delay(1.0).as_secs_f64())
            .collect();
        assert_eq!(delays, [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
        backoff.reset_if_stable(MIN_UPTIME - Duration::from_millis(1));
        assert_eq!(backoff.next_delay(0.0), MAX_DELAY / 2);
        backoff.reset_if_stable(MIN_UPTIME);
        assert_eq!(backoff.next_delay(0.0), FIRST_DELAY / 2);
    }
}
