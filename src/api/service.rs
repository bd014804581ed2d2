//! A request from its parameters to its response and its line in the log.
//!
//! The order of checks is part of the contract: form, lockout and credentials, the user's
//! actions and networks, the action's parameters, the organization's agents and queues,
//! and the PBX last.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;
use tracing::info;

use super::accounts::Accounts;
use super::actions::{Context, EVENTS, LoggedParameters, requested_action};
use super::credentials::Credentials;
