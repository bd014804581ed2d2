//! A simulated PBX with queues, agents and callers. It serves AMI on a loopback TCP socket,
//! like Asterisk 22.
//!
//! Only the demo and the tests use the simulator. The simulator depends neither on them nor on the
//! bridge. The tests in `tests/it` run against both the simulator and a real Asterisk, to verify
//! that the simulator behaves like Asterisk.
//!
//! [`Simulator`] starts, controls and stops a simulated PBX, which [`Config`] describes. The
//! main modules are:
//! - `pbx` contains the PBX's state and all operations that change it. It does no IO and never
//!   reads the clock.
//! - `behavior` describes how callers and agents behave.
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

pub use self::behavior::{AgentBreaks, Behavior, CallerId, CallerSource, ScheduledPause};
pub use self::config::{Config, InitialMember};
pub(crate) use self::pbx::device_state;
#[cfg(test)]
pub(crate) use self::pbx::{Member, SimulatedPbx};
pub use self::server::Simulator;
