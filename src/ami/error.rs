//! What can become of an action, apart from an answer.

use std::time::Duration;

use super::codec::FrameError;

/// Why an action has no answer. The difference matters to whoever asked: only
/// [`Failure::Unknown`] leaves a doubt about what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent, and nothing will be: there is no usable link.
    #[error("the link to the PBX is down")]
    Unavailable {
        /// When it may be worth trying again.
        retry_after: Duration,
    },
    /// Nothing was sent, and nothing will be: too much is waiting.
    #[error("too many requests are waiting for the PBX")]
    Overloaded,
    /// The action was sent; no answer came in time, or the link fell.
    #[error("the PBX gave no answer")]
    Unknown,
}

/// What it means that Asterisk knows no action of queues.
pub const NO_QUEUES: &str = "Asterisk knows no actions of queues: it is still booting, or \
     app_queue is not loaded (asterisk -rx 'module load app_queue.so')";

/// Why a login did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Wrong user or secret, or an address that the user's ACL denies: Asterisk
    /// answers all three alike. The only one that trying again won't cure.
    #[error(
        "Asterisk rejects the AMI user or its secret, or this address: compare both with \
         manager.conf, and its permit lines with this machine's address"
    )]
    Rejected,
    /// `allowmultiplelogin=no` and an old session that Asterisk still holds.
    #[error(
        "the AMI user is logged in already: put allowmultiplelogin=yes into its own section \
         of manager.conf (in [general] it counts only after a restart), then manager reload"
    )]
    AlreadyInUse,
    /// A graceful stop is pending.
    #[error("Asterisk is shutting down")]
    ShuttingDown,
    /// Any other answer.
    #[error("unexpected answer to the login: {0}")]
    Unexpected(String),
    /// No answer in time.
    #[error(
        "no answer in time: is Asterisk frozen, or is this not the port of the AMI, or its port \
         for TLS (tls = true)?"
    )]
    TimedOut,
    /// The connection ended.
    #[error("the connection was closed before the login was done: is this the port of the AMI?")]
    Closed,
    /// The bytes are not AMI.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub enum Exit {
    /// The bridge asked for it.
    #[error("logged off")]
    Stopped,
    /// Asterisk announced its end (`Shutdown` event), then closed.
    #[error("Asterisk has shut down")]
    Shutdown,
    /// The connection ended without a word.
    #[error("Asterisk closed the connection")]
    Closed,
    /// The peer does not answer any more.
    #[error("Asterisk has stopped answering")]
    Unresponsive,
    /// An answer of more rows or bytes than memory should be spent on.
    #[error("an event list without end")]
    EndlessList,
    /// app_queue was still loading: Asterisk denies, then closes.
    #[error("Asterisk is still loading its queues")]
    StillLoading,
    /// Broken bytes, or a broken connection.
    #[error(transparent)]
    Frame(#[from] FrameError),
}
