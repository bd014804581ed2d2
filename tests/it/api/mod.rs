//! The HTTP API: the response to each action, and the action's effect on the PBX.

mod callers;
mod changes;
mod clients;
mod http;
pub(crate) mod openapi;
mod reads;
mod reasons;
mod refusals;
mod standard_clients;
