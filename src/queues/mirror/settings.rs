//! How a PBX is used.

use std::time::Duration;

/// How a PBX is used.
#[derive(Debug, Clone, Copy)]
pub struct PbxOptions {
    /// Every queue is listed once within this time.
    pub resync_interval: Duration,
    /// Whether reads are answered with the last known state while the link is down.
    pub serve_stale: bool,
    /// Bound on a whole request, however many queues it names.
    pub action_timeout: Duration,
}
