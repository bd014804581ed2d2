//! A simple HTTP interface to Asterisk call queues.
//!
//! Data flows one way, and the modules show it: bytes → [`ami`] → [`queues`] →
//! [`organizations`] → [`api`] → [`http`]. [`config`] reads what is configured,
//! [`app`] puts the parts together, [`check`] tries them.

pub mod ami;
pub mod api;
pub mod app;
mod certificate;
pub mod check;
pub mod cli;
pub mod config;
pub mod demo;
mod descriptors;
pub mod http;
mod name_review;
pub mod organizations;
mod pem;
pub mod queues;
pub mod reload;
mod service_manager;
pub mod telemetry;
mod wall_clock;
