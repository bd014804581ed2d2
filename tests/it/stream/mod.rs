//! The event stream. A client that only follows it has the same state as `showqueue` shows.

pub(crate) mod client;
mod contract;
mod endings;
mod follow;
mod panel;
mod resume;
