//! Detects that a listener's connections approach their limit.

/// Share of the limit at which the bridge warns, in percent.
pub(crate) const CONNECTION_WARNING_PERCENT: usize = 80;

/// Share of the limit below which the number must fall before the bridge warns again, in percent.
/// If both shares were equal, a number near them would cause many warnings.
const REARM_PERCENT: usize = 70;

/// Remembers whether the bridge has warned.
#[derive(Debug, Default)]
pub(super) struct UsageMonitor {
    has_warned: bool,
}

impl UsageMonitor {
    /// Returns true if the number of connections has reached [`CONNECTION_WARNING_PERCENT`] of the
    /// limit for the first time since it was below [`REARM_PERCENT`].
    pub(super) fn must_warn(&mut self, connections: usize, limit: usize) -> bool {
        let is_at_least =
            |percent: usize| connections as u128 * 100 >= limit as u128 * percent as u128;
        if !is_at_least(REARM_PERCENT) {
            self.has_warned = false;
        }
        is_at_least(CONNECTION_WARNING_PERCENT) && !std::mem::replace(&mut self.has_warned, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitor_warns_once_until_the_number_has_fallen() {
        let mut monitor = UsageMonitor::default();
        for (connections, expected) in [
            (0, false),
            (79, false),
            (80, true),
            (100, false),
            (70, false),
            (80, false),
            (69, false),
            (79, false),
            (81, true),
        ] {
            assert_eq!(
                monitor.must_warn(connections, 100),
                expected,
                "{connections}"
            );
        }
    }

    #[test]
    fn monitor_handles_the_smallest_and_the_largest_limit() {
        let mut monitor = UsageMonitor::default();
        assert!(!monitor.must_warn(0, 1));
        assert!(monitor.must_warn(1, 1));
        assert!(!monitor.must_warn(0, usize::MAX));
        assert!(monitor.must_warn(usize::MAX, usize::MAX));
    }
}
