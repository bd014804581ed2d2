//! The documented interface: from parameters to a command ([`query`],
//! [`command`]), from a command to what the PBX did ([`execute`]), and from
//! that to JSON and a status ([`answer`], [`error`]). Beside it the stream of
//! events ([`stream`]).

mod accounts;
mod answer;
mod changes;
mod command;
mod error;
mod execute;
mod figures;
mod fragments;
mod part;
mod query;
mod refusal;
mod requests;
mod service;
mod stream;
mod views;

pub use accounts::Accounts;
pub use answer::Answer;
pub use command::{ActionName, Command};
pub use error::{ApiError, Code};
#[cfg(test)]
pub(crate) use query::NAMES;
pub use query::{Credentials, Form};
pub use requests::Requests;
pub use service::{Api, Call, Link, Links};
pub use stream::EventStream;
