//! A simple HTTP interface to Asterisk call queues.
//!
//! Data flows one way, and the modules show it: bytes → [`ami`] → [`queues`] →
//! [`organizations`] → [`api`] → [`http`]. [`config`] reads what is configured,
//! [`daemon`] puts the parts together, [`check`] tries them.

pub mod ami;
pub mod api;
mod certificate;
pub mod check;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod http;
pub mod organizations;
mod pem;
pub mod queues;
pub mod simulator;
pub mod telemetry;
mod wall_clock;
