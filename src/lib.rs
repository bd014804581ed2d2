//! An HTTP API for Asterisk call queues.
//!
//! Data flows in one direction through the modules: bytes → [`ami`] → [`queues`] →
//! [`organizations`] → [`api`] → [`http`]. [`storage`] stores what must survive a restart,
//! and [`report`] records the day's work there. [`config`] reads the configuration, [`daemon`]
//! connects and runs these modules, and [`check`] tests a configuration against its PBXes.

#![warn(clippy::too_many_lines)]

pub mod ami;
pub mod api;
mod certificate;
pub mod check;
pub mod cli;
pub mod config;
pub mod create_token;
pub mod daemon;
pub mod demo;
pub mod distribution;
pub mod http;
pub mod organizations;
mod pem;
pub mod queues;
pub mod report;
pub mod setup;
pub mod simulator;
pub mod storage;
mod system_limits;
pub mod telemetry;
pub mod terminal;
pub mod time_zone;
mod wall_clock;
mod worker_runtime;
