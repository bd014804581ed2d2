//! The moment at which something is read: the mirror has no clock.

use std::time::Duration;

use tokio::time::Instant;

/// The moment at which something is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) at: Instant,
    /// Since the Unix epoch.
    pub(super) wall: Duration,
}

impl Now {
    /// In Unix seconds.
    pub(super) fn unix(self) -> i64 {
        self.wall.as_secs() as i64
    }
}
