//! Why a query or a change failed.

use std::time::Duration;

use crate::ami::value::ValueError;
use crate::ami::{Failure, NO_APP_QUEUE, Refusal};

/// Why a query or a change of queues failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The PBX has no such queue.
    #[error("no such queue")]
    NoSuchQueue,
    /// The queue has no such member.
    #[error("not a member")]
    NotAMember,
    /// The queue already has the member. Nothing was changed.
    #[error("already a member")]
    AlreadyMember,
    /// The member comes from Asterisk's configuration or a realtime database.
    #[error("a static member")]
    StaticMember,
    /// Asterisk refused for a reason that only its own text gives.
    #[error("{0}")]
    Refused(String),
    /// Asterisk would misread a value. Nothing was sent.
    #[error("a value that {0}")]
    Value(#[from] ValueError),
    /// app_queue is not loaded.
    #[error("{NO_APP_QUEUE}")]
    NotLoaded,
    /// Asterisk did not answer.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// The failure of a request while Asterisk is starting, shutting down, or has not loaded
/// app_queue.
pub const TEMPORARILY_UNAVAILABLE: Failure = Failure::Unavailable {
    retry_after: Duration::from_secs(2),
};

impl QueueError {
    /// The error that a refusal stands for. `has_privilege` says whether the AMI user is
    /// known to have the action's privilege: then Asterisk denies permission only while it
    /// loads app_queue.
    pub(super) fn from_refusal(refusal: Refusal, has_privilege: bool) -> Self {
        match refusal {
            Refusal::NoSuchQueue => Self::NoSuchQueue,
            Refusal::AlreadyMember => Self::AlreadyMember,
            Refusal::NotAMember | Refusal::NotFound => Self::NotAMember,
            Refusal::StaticMember => Self::StaticMember,
            Refusal::ShuttingDown => TEMPORARILY_UNAVAILABLE.into(),
            Refusal::PermissionDenied if has_privilege => TEMPORARILY_UNAVAILABLE.into(),
            Refusal::UnknownAction => Self::NotLoaded,
            refusal => Self::Refused(refusal.to_string()),
        }
    }
}
