//! The documented interface: from parameters to a command ([`query`],
//! [`command`]), from a command to what the PBX did ([`execute`]), and from
//! that to JSON and a status ([`answer`], [`error`]).

mod answer;
mod command;
mod error;
mod execute;
mod query;
mod refusal;
mod service;
mod views;

pub use answer::Answer;
pub use command::{ActionName, Command};
pub use error::{ApiError, Code};
pub use query::{Credentials, Form};
pub use service::{Api, Call, Link};
