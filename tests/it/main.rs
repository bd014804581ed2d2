//! The whole program against a real Asterisk of the oldest and the newest
//! generation, as a black box over HTTP. What does not need a real one runs on the
//! simulated PBX too.

#![allow(
    clippy::print_stdout,
    reason = "the figures of faults and of the soak are part of the proof"
)]

mod support;

mod ami_proxy;
mod answers;
mod attacks;
mod belief;
mod browser;
mod callers;
mod changes;
mod chaos;
mod check;
mod clients;
mod command_line;
mod credentials;
mod demo;
mod descriptors;
mod docs;
mod events;
mod fail2ban;
mod faults;
mod http;
mod jumps;
mod limits;
mod link;
mod live;
mod logs;
mod many;
mod metrics;
mod mistakes;
mod observability;
mod openapi;
mod packaging;
mod panel_files;
mod protocol;
mod reads;
mod refusals;
mod reload;
mod replay;
mod soak;
mod standard_clients;
mod storms;
mod stuck_log;
mod tenants;
mod tls;
mod two_bridges;
