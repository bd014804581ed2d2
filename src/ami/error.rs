//! Errors of actions, logins and sessions. Asterisk's refusals are in [`super::refusal`].

use std::time::Duration;

use super::codec::FrameError;

/// The reason an action has no reply. Only [`Failure::Unknown`] means that Asterisk may
/// have executed the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The link is down. The action was not sent and will not be sent.
    #[error("the link to the PBX is down")]
    Unavailable {
        /// The delay after which a retry may succeed.
        retry_after: Duration,
    },
    /// Too many requests are waiting for the PBX. The action was not sent and will not be
    /// sent.
    #[error("too many requests are waiting for the PBX")]
    Overloaded,
    /// The action was sent, but the deadline passed or the link was lost before the reply
    /// arrived.
    #[error("the PBX gave no answer")]
    Unknown,
}

/// The message for the operator if Asterisk does not know the queue actions.
pub const NO_APP_QUEUE: &str = "Asterisk does not know the queue actions: it is still booting, \
     or app_queue is not loaded (asterisk -rx 'module load app_queue.so')";

/// The reason a login failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Wrong user, wrong secret, or an address that the user's ACL denies. Asterisk sends the
    /// same response in all three cases. This is the only login error that a retry won't fix.
    #[error(
        "Asterisk rejects the AMI user or its secret, or this address: compare \
         the user and the secret with manager.conf, and this machine's address with its permit \
         lines"
    )]
    Rejected,
    /// The user has `allowmultiplelogin=no`, and Asterisk has not closed an older session
    /// yet.
    #[error(
        "the AMI user is logged in already: put allowmultiplelogin=yes into the user's section \
         of manager.conf (in [general] it takes effect only after a restart), then run \
         manager reload"
    )]
    AlreadyInUse,
    /// A graceful shutdown of Asterisk is pending.
    #[error("Asterisk is shutting down")]
    ShuttingDown,
    /// Asterisk sent an unexpected response.
    #[error("unexpected response to the login: {0}")]
    Unexpected(String),
    /// Asterisk did not respond before the timeout.
    #[error(
        "no answer in time: Asterisk may be frozen, this may not be the AMI port, or it may be the \
         AMI's TLS port (which needs tls = true)"
    )]
    TimedOut,
    /// Asterisk closed the connection during the login.
    #[error("the connection was closed before the login was complete: is this the AMI port?")]
    Closed,
    /// The connection failed, or its bytes are not AMI.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// The reason a session ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionEnd {
    /// The bridge logged off.
    #[error("logged off")]
    Stopped,
    /// Asterisk sent a `Shutdown` event and closed the connection.
    #[error("Asterisk has shut down")]
    Shutdown,
    /// Asterisk closed the connection without a `Shutdown` event.
    #[error("Asterisk closed the connection")]
    Closed,
    /// Asterisk did not answer in time.
    #[error("Asterisk has stopped answering")]
    Unresponsive,
    /// An event list exceeded its memory limit.
    #[error("an event list is too large")]
    ListTooLarge,
    /// Asterisk denied an early action and closed the connection, because app_queue was
    /// still loading.
    #[error("Asterisk is still loading app_queue")]
    StillLoading,
    /// The connection failed, or its bytes are not AMI.
    #[error(transparent)]
    Frame(#[from] FrameError),
}
