//! Settings of a PBX's mirror.

use std::time::Duration;

/// Settings of a PBX's mirror.
#[derive(Debug, Clone, Copy)]
pub struct PbxOptions {
    /// Every queue is listed once within this time.
    pub resync_interval: Duration,
    /// Whether reads are answered with the last known state while the link is down.
    pub serve_stale: bool,
    /// Time limit for a whole request, no matter how many queues it names.
    pub action_timeout: Duration,
}
