//! A client for the Asterisk Manager Interface (AMI). It keeps one persistent, pipelined
//! connection to each PBX and reopens lost connections automatically.
//!
//! [`supervise`] keeps a link up and publishes its state. A [`Client`] begins an
//! [`Exchange`] on the link, and the exchange sends [`Action`]s. An [`Observer`] receives
//! everything that Asterisk sends. Actions contain only checked values ([`value`]), so no
//! input can inject a header or an action.
//!
//! This module knows nothing about HTTP, JSON or organizations.

mod action;
mod address;
mod backoff;
mod client;
mod codec;
mod connection;
mod dial;
mod error;
mod liveness;
mod login;
mod message;
mod observer;
mod parse;
mod pending;
mod reassembler;
mod refusal;
mod reply;
mod session;
mod supervisor;
#[cfg(test)]
mod testing;
mod tls;
#[cfg(test)]
pub(crate) mod transcript;
pub mod value;

pub use action::{Action, LoginKey};
pub use address::Address;
pub use client::{Client, Exchange, LinkState, with_change_flag};
pub use codec::{AmiCodec, Frame, FrameError, MAX_FRAME_BYTES};
pub use dial::presented_certificate;
pub use error::{Failure, LoginError, NO_APP_QUEUE, SessionEnd};
pub use login::{Peer, Restarts};
pub use message::Message;
pub use observer::Observer;
pub use reassembler::Reassembler;
pub use refusal::Refusal;
pub use reply::Reply;
pub use supervisor::{LinkSettings, supervise};
pub use tls::{TlsSettings, Trust};
