//! The operator's tools: the command line, the configuration, logs, metrics, packages and
//! documentation.

mod ami_proxy;
mod check;
mod command_line;
mod config_bytes;
mod config_mistakes;
mod demo;
mod docs;
mod fail2ban;
mod logs;
mod metrics;
mod monitoring;
mod packaging;
mod pause_configuration;
mod reload;
mod state;
mod system_limits;
mod tokens;
