//! The error type for queue queries and queue changes.

use std::time::Duration;

use crate::ami::value::ValueError;
use crate::ami::{Failure, NO_APP_QUEUE, Refusal};
use crate::storage::StorageUnavailable;

/// An error from a queue query or a queue change.
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
    /// The member is static: it is configured in `queues.conf` or a realtime database, so it
    /// can't be removed.
    #[error("a static member")]
    StaticMember,
    /// Asterisk refused the action for another reason. Contains Asterisk's message.
    #[error("{0}")]
    Refused(String),
    /// Asterisk would misread a value of the action, so the action was not sent.
    #[error("a value that {0}")]
    Value(#[from] ValueError),
    /// app_queue is not loaded.
    #[error("{NO_APP_QUEUE}")]
    NotLoaded,
    /// Asterisk did not reply. [`Failure`] says whether the action was sent.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The end of the pause can't be stored, so the pause was not sent.
    #[error(transparent)]
    StorageUnavailable(#[from] StorageUnavailable),
}

/// The failure of a request while Asterisk is starting, is shutting down, or has not loaded
/// app_queue.
pub const TEMPORARILY_UNAVAILABLE: Failure = Failure::Unavailable {
    retry_after: Duration::from_secs(2),
};

impl QueueError {
    /// Converts a refusal to an error. `has_privilege` is true if the AMI user is known to
    /// have the privilege that the action needs. Asterisk denies permission to such a user
    /// only while it loads app_queue.
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
