//! The options of a PBX.

use std::time::Duration;

/// The options of a PBX.
#[derive(Debug, Clone, Copy)]
pub struct PbxOptions {
    /// The periodic resync lists every queue once in this time.
    pub resync_interval: Duration,
    /// Whether reads are answered with the last known state while the link is down.
    pub serve_stale: bool,
    /// The time limit of a whole request, regardless of the number of its queues.
    pub action_timeout: Duration,
}
