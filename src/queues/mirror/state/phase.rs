//! How complete the mirror is.

/// How complete the mirror is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::queues::mirror) enum Phase {
    /// There has been no link yet.
    NeverLinked,
    /// There is no link. The mirror shows the last known state.
    Lost,
    /// There is a link, and the queues are being listed.
    Loading,
    /// There is a link, but Asterisk has not loaded app_queue.
    NoAppQueue,
    /// The mirror is complete and follows the PBX.
    Live,
}
