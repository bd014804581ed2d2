//! Errors that prevent the daemon from starting.

use std::io;
use std::net::SocketAddr;

use crate::storage::DirectoryInUse;

/// An error that prevents the daemon from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener can't be bound to its address.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The operating system's error.
        source: io::Error,
    },
    /// The API's TLS certificate can't be used.
    #[error("http.tls_certificate: {0}")]
    Tls(String),
    /// Another process uses the state directory.
    #[error("state.directory: {0}")]
    DirectoryInUse(#[from] DirectoryInUse),
    /// The operating system can't start a thread.
    #[error("can't start a thread: {0}")]
    Threads(io::Error),
    /// The operating system can't provide random bytes.
    #[error("{0}")]
    Random(String),
}
