//! A simulated PBX. It has queues, agents and callers, and serves AMI on a loopback
//! TCP socket like Asterisk 22.
//!
//! Only the demo and the tests use the simulator. The simulator knows nothing about
//! either of them, or about the bridge. The tests in `tests/it` run against the
//! simulator as well as a real Asterisk, which shows that both behave the same.
//!
//! [`Simulator`] starts, controls and stops a simulated PBX, as described by
//! [`Config`]. Inside:
//! - `pbx` is the state of the PBX and everything that changes it. It does no IO and
//!   never reads the clock.
//! - `behavior` describes when callers call and what agents do.
//! - `ami_server` serves the PBX to AMI clients.

mod ami_server;
mod behavior;
mod conf_file;
mod config;
mod controls;
mod event;
mod headers;
mod pbx;
mod server;

#[cfg(test)]
mod session_tests;
#[cfg(test)]
mod transcript_tests;

pub use self::behavior::{AgentBreaks, Behavior, CallerId, CallerSource};
pub use self::config::{Config, InitialMember};
#[cfg(test)]
pub(crate) use self::pbx::SimulatedPbx;
pub(crate) use self::pbx::device_state;
pub use self::server::Simulator;
