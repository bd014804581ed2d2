//! What a PBX can be used for right now. The only place that combines the state of the
//! link with that of the mirror.

use super::pbx::Pbx;
use super::state::Phase;
use crate::ami::LinkState;

/// What a PBX can be used for right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PbxStatus {
    /// Reads and changes are possible.
    Ready {
        /// Whether the AMI user may change queues (`write=agent` in manager.conf).
        may_write: bool,
    },
    /// There is a link, and the mirror is being loaded.
    Loading,
    /// There is a link, but Asterisk has not loaded app_queue.
    NoAppQueue,
    /// There is a link, but Asterisk is still booting.
    Booting,
    /// The first link is being made.
    Connecting,
    /// Asterisk is shutting down.
    ShuttingDown,
    /// There is no link.
    Down {
        /// The reason, for the operator.
        reason: String,
    },
}

impl Pbx {
    /// What the PBX can be used for right now.
    #[must_use]
    pub fn status(&self) -> PbxStatus {
        match self.client.state() {
            LinkState::Ready(peer) => match *self.store.phase.borrow() {
                Phase::Live => PbxStatus::Ready {
                    may_write: peer.may_write,
                },
                Phase::NoAppQueue => PbxStatus::NoAppQueue,
                Phase::NeverLinked | Phase::Lost | Phase::Loading => PbxStatus::Loading,
            },
            LinkState::Booting => PbxStatus::Booting,
            LinkState::Connecting => PbxStatus::Connecting,
            LinkState::ShuttingDown => PbxStatus::ShuttingDown,
            LinkState::Down { reason, .. } => PbxStatus::Down { reason },
        }
    }

    /// Whether the mirror is complete and follows the PBX.
    #[must_use]
    pub fn is_live(&self) -> bool {
        *self.store.phase.borrow() == Phase::Live
    }
}
