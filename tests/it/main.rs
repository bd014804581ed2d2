//! The whole program against a real Asterisk of the oldest and the newest
//! generation, as a black box over HTTP. What does not need a real one runs on the
//! simulated PBX too.

#![allow(
    clippy::print_stdout,
    reason = "the figures of faults and of the soak are part of the proof"
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
