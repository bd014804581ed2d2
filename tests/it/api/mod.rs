//! The HTTP interface: what each action answers, and what it changes on the PBX.

mod callers;
mod changes;
mod clients;
mod http;
pub(crate) mod openapi;
mod reads;
mod refusals;
mod standard_clients;
