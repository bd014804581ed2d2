//! The event stream: its events, resumption, rejected requests, storms and shutdown.

pub(crate) mod client;
mod contract;
mod endings;
mod follow;
mod panel;
mod resume;
mod storm;
pub(crate) mod tickets;
