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
mod member_json;
mod query;
mod refusal;
mod request_metrics;
mod service;
mod statistics;
mod stream;
mod tenant;
mod views;

pub use accounts::Accounts;
pub use answer::Response;
pub use command::{ActionName, Command};
pub use error::{ApiError, Code};
#[cfg(test)]
pub(crate) use query::NAMES;
pub use query::{Credentials, Form};
pub use request_metrics::RequestMetrics;
pub use service::{Api, ApiRequest};
pub use stream::EventStream;
