//! The event stream: a client that only follows it knows what `showqueue` shows.

pub(crate) mod client;
mod contract;
mod endings;
mod follow;
mod panel;
mod resume;
