//! The event stream: its events, resumption, rejected requests and shutdown.

pub(crate) mod client;
mod contract;
mod endings;
mod follow;
mod panel;
mod resume;
pub(crate) mod tickets;
