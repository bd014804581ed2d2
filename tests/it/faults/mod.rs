//! Faults of Asterisk, the network, the clock, the log and the clients: no change is lost or
//! executed twice, and the bridge recovers.

mod chaos;
pub(crate) mod clock_jumps;
mod connection_storms;
pub(crate) mod consistency;
mod descriptors;
mod link;
mod many_pbxes;
mod outage;
mod soak;
mod stuck_log;
