//! The API: the response of each action, and its effect on the PBX.

mod callers;
mod changes;
mod clients;
mod http;
pub(crate) mod openapi;
mod reads;
mod refusals;
mod standard_clients;
