//! Black-box tests of the whole program over HTTP, against a real Asterisk 16 and a real
//! Asterisk 22: the oldest and the newest supported version. Tests that do not depend on
//! a real Asterisk also run against the simulated PBX.

#![allow(
    clippy::print_stdout,
    reason = "the statistics of the fault tests and of the soak test are part of the proof"
)]

mod api;
mod faults;
mod mirror;
mod operations;
mod pages;
mod security;
mod simulator;
mod stream;
mod support;
mod two_bridges;
