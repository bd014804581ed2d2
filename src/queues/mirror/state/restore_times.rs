//! The times at which Asterisk may have restored pauses.

use std::ops::RangeInclusive;

use crate::ami::Restarts;

/// Asterisk restores the pauses within this time after its start, in seconds.
const MAX_BOOT_SECONDS: i64 = 120;

/// A reload takes at most this long, in seconds. Asterisk reports its end.
const MAX_RELOAD_SECONDS: i64 = 10;

/// Tolerance for comparing the bridge's clock with Asterisk's, in seconds.
const CLOCK_TOLERANCE: i64 = 2;

/// The times at which Asterisk may have restored pauses, in Unix seconds: its latest start and
/// its latest reload.
#[derive(Debug, Clone)]
pub(super) struct RestoreTimes {
    start: RangeInclusive<i64>,
    reload: RangeInclusive<i64>,
}

impl RestoreTimes {
    /// Converts Asterisk's report to times. `now` is in Unix seconds.
    pub(super) fn of(restarts: Restarts, now: i64) -> Self {
        let start = now - restarts.uptime_seconds;
        let reload = now - restarts.since_reload_seconds;
        Self {
            start: start - CLOCK_TOLERANCE..=start + MAX_BOOT_SECONDS,
            reload: reload - MAX_RELOAD_SECONDS..=reload + CLOCK_TOLERANCE,
        }
    }

    /// Returns whether Asterisk may have restored a pause at this time, in Unix seconds.
    pub(super) fn contain(&self, seconds: i64) -> bool {
        self.start.contains(&seconds) || self.reload.contains(&seconds)
    }
}
