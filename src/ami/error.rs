//! Why an action, a login or a session failed. Refusals by Asterisk are in
//! [`super::refusal`].

use std::time::Duration;

use super::codec::FrameError;

/// Why an action has no reply. Only [`Failure::Unknown`] leaves open whether Asterisk
/// executed the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The link is down. The action was not sent, and will not be.
    #[error("the link to the PBX is down")]
    Unavailable {
        /// When a retry may succeed.
        retry_after: Duration,
    },
    /// Too many requests wait for the PBX. The action was not sent, and will not be.
    #[error("too many requests are waiting for the PBX")]
    Overloaded,
    /// The action was sent, but no reply came before the deadline or the end of the link.
    #[error("the PBX gave no answer")]
    Unknown,
}

/// The explanation for the operator if Asterisk does not know the queue actions.
pub const NO_APP_QUEUE: &str = "Asterisk does not know the queue actions: it is still booting, \
     or app_queue is not loaded (asterisk -rx 'module load app_queue.so')";

/// Why a login failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Wrong user, wrong secret, or an address that the user's ACL denies: Asterisk
    /// answers all three alike. The only login error that a retry does not fix.
    #[error(
        "Asterisk rejects the AMI user or its secret, or this address: compare both with \
         manager.conf, and its permit lines with this machine's address"
    )]
    Rejected,
    /// The user has `allowmultiplelogin=no`, and Asterisk still holds an old session.
    #[error(
        "the AMI user is logged in already: put allowmultiplelogin=yes into its own section \
         of manager.conf (in [general] it takes effect only after a restart), then run \
         manager reload"
    )]
    AlreadyInUse,
    /// A graceful shutdown of Asterisk is pending.
    #[error("Asterisk is shutting down")]
    ShuttingDown,
    /// Any other response.
    #[error("unexpected response to the login: {0}")]
    Unexpected(String),
    /// No response before the timeout.
    #[error(
        "no answer in time: is Asterisk frozen, or is this not the port of the AMI, or its port \
         for TLS (tls = true)?"
    )]
    TimedOut,
    /// Asterisk closed the connection during the login.
    #[error(
        "the connection was closed before the login was complete: is this the port of the AMI?"
    )]
    Closed,
    /// The connection failed, or its bytes are not AMI.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Why a session ended.
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
