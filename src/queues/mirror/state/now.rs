//! The current time, passed to the mirror because it never reads the clock.

use std::time::Duration;

use tokio::time::Instant;

/// The current time on both clocks.
#[derive(Debug, Clone, Copy)]
pub(in crate::queues::mirror) struct Now {
    pub(in crate::queues::mirror) at: Instant,
    /// Since the Unix epoch.
    pub(in crate::queues::mirror) wall: Duration,
}

impl Now {
    /// In Unix seconds.
    pub(super) fn unix(self) -> i64 {
        self.wall.as_secs() as i64
    }
}
