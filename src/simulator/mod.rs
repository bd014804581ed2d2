//! A simulated PBX: queues, agents and callers that speak AMI over a real
//! loopback socket, as Asterisk 22 does.
//!
//! It knows nothing of the bridge, and only `ami-bridge demo` and the tests use
//! it. The tests of the interface run on it as they run on a real Asterisk, which
//! is what proves it a stand-in.
//!
//! [`Simulator`] is the handle; `pbx` is the state, with `membership`,
//! `distribution` and `outcome` (the way of a call), `device`, `life` (callers and agents by themselves) and `restart`;
//! `session` is one AMI session, `hub` what they share; `scene` is the call centre of
//! the demonstration.

mod actions;
mod call;
mod conf;
mod device;
mod distribution;
mod event;
mod habits;
mod handle;
mod hub;
mod life;
mod member;
mod membership;
mod outcome;
mod pbx;
mod queue;
mod request;
mod restart;
mod scene;
mod server;
mod session;

#[cfg(test)]
mod pbx_tests;
#[cfg(test)]
mod session_tests;
#[cfg(test)]
mod transcript_tests;

pub use scene::{configuration, welcome};
pub use server::{Config, Simulator};
