//! The mirror's phase.

/// The mirror's phase, which depends on the link and on whether the mirror has been loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::queues::mirror) enum Phase {
    /// The mirror has never been complete, and the link is down.
    NeverLive,
    /// The link is down. The mirror shows the last known state.
    Lost,
    /// The link is up, and the queues are being listed.
    Loading,
    /// The link is up, but Asterisk has not loaded app_queue.
    NoAppQueue,
    /// The mirror is complete and receives updates from the PBX.
    Live,
}
