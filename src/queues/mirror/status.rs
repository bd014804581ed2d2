//! A PBX's current status. Only this module combines the link's state with the mirror's
//! phase.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::pbx::Pbx;
use super::state::Phase;
use crate::ami::{Failure, LinkState};

/// A PBX's current status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PbxStatus {
    /// Reads and changes are possible.
    Ready {
        /// Whether the AMI user may change queues (`write=agent` in manager.conf).
        may_write: bool,
    },
    /// The link is up, and the mirror is being loaded.
    Loading,
    /// The link is up, but Asterisk has not loaded app_queue.
    NoAppQueue,
    /// The link is up, but Asterisk is still booting.
    Booting,
    /// The bridge is connecting for the first time.
    Connecting,
    /// Asterisk is shutting down.
    ShuttingDown,
    /// The link is down.
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
    /// Returns the PBX's current status.
    #[must_use]
    pub fn status(&self) -> PbxStatus {
        match self.client.state() {
            LinkState::Ready(peer) => match *self.store.phase.borrow() {
                Phase::Live => PbxStatus::Ready {
                    may_write: peer.may_write,
                },
                Phase::NoAppQueue => PbxStatus::NoAppQueue,
                Phase::NeverLive | Phase::Lost | Phase::Loading => PbxStatus::Loading,
            },
            LinkState::Booting => PbxStatus::Booting,
            LinkState::Connecting => PbxStatus::Connecting,
            LinkState::ShuttingDown => PbxStatus::ShuttingDown,
            LinkState::Down { reason, .. } => PbxStatus::Down { reason },
        }
    }

    /// Returns whether the mirror is complete and receives updates from the PBX.
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
            // The client's failure includes the time until the next connection attempt.
            _ => match self.client.begin_internal(deadline, "") {
                Err(failure) => Err(failure),
                Ok(_) => Err(LOADING),
            },
        }
    }
}
