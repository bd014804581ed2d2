//! Black-box tests of the whole program over HTTP. Most run against Asterisk 16 and Asterisk
//! 22, the oldest and the newest supported version. Tests that need no real Asterisk also run
//! against the simulated PBX.

#![allow(
    clippy::print_stdout,
    reason = "the statistics that the fault tests and the soak test print are part of their result"
)]

mod api;
mod faults;
mod mirror;
mod operations;
mod pages;
mod report;
mod security;
mod setup;
mod simulator;
mod stream;
mod support;
mod timed_pauses;
mod two_bridges;
