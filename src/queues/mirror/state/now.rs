//! The current time, which callers pass to the mirror because it never reads the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The current time on the monotonic clock and the wall clock.
#[derive(Debug, Clone, Copy)]
pub(in crate::queues::mirror) struct Now {
    pub(in crate::queues::mirror) at: Instant,
    /// The wall-clock time since the Unix epoch.
    pub(in crate::queues::mirror) wall: Duration,
}

impl Now {
    /// Reads both clocks.
    pub(in crate::queues::mirror) fn read() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            at: Instant::now(),
            wall: since_epoch.unwrap_or_default(),
        }
    }

    /// Returns the wall-clock time in Unix seconds.
    pub(super) fn unix(self) -> i64 {
        self.wall.as_secs() as i64
    }

    /// Returns the wall-clock time in Unix milliseconds.
    pub(in crate::queues::mirror) fn unix_millis(self) -> i64 {
        self.wall.as_millis() as i64
    }
}
