//! The client of the Asterisk Manager Interface: one persistent connection,
//! pipelined, that comes back by itself. Knows no HTTP, no JSON and no
//! organization.
//!
//! A [`supervise`]d link publishes its state; a [`Client`] begins an
//! [`Exchange`] on it and sends [`Action`]s, which are made of checked values
//! ([`value`]) only.

mod action;
mod address;
mod assembly;
mod backoff;
mod client;
mod codec;
mod connection;
mod dial;
mod error;
mod login;
mod message;
mod observer;
mod parse;
mod pending;
mod refusal;
mod reply;
mod session;
mod supervisor;
mod tls;
#[cfg(test)]
pub(crate) mod transcript;
pub mod value;

pub use action::{Action, LoginKey};
pub use address::Address;
pub use assembly::Assembly;
pub use client::{Client, Exchange, LinkState, noting_changes};
pub use codec::{AmiCodec, Frame, FrameError, MAX_FRAME};
pub use dial::presented_certificate;
pub use error::{Exit, Failure, LoginError, NO_QUEUES};
pub use login::Peer;
pub use message::Message;
pub use observer::Observer;
pub use refusal::Refusal;
pub use reply::Reply;
pub use supervisor::{LinkSettings, supervise};
pub use tls::{TlsSettings, Trust};
