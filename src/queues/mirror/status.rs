//! Whether a PBX can currently be used. The only place that combines the state of the link
//! with that of the mirror.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::pbx::Pbx;
use super::state::Phase;
use crate::ami::{Failure, LinkState};

/// Whether a PBX can currently be used, and for what.
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

/// The failure of a read while the mirror is being loaded.
const LOADING: Failure = Failure::Unavailable {
    retry_after: Duration::from_secs(1),
};

impl Pbx {
    /// Whether the PBX can currently be used, and for what.
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

    /// Waits until the mirror can be read. Returns whether it is stale.
    pub(super) async fn wait_until_readable(&self, deadline: Instant) -> Result<bool, Failure> {
        if self.is_live() {
            return Ok(false);
        }
        let mut phase = self.store.phase.subscribe();
        let loaded = phase.wait_for(|phase| *phase != Phase::Loading);
        let Ok(Ok(phase)) = timeout_at(deadline, loaded).await else {
            return Err(LOADING);
        };
        match *phase {
            Phase::Live => Ok(false),
            Phase::Lost if self.settings.serve_stale => Ok(true),
            // The client knows when the next attempt to connect begins.
            _ => match self.client.begin_internal(deadline, "") {
                Err(failure) => Err(failure),
                Ok(_) => Err(LOADING),
            },
        }
    }
}
