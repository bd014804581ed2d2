//! The HTTP API: the response to each action, and the action's effect on the PBX.

mod callers;
mod changes;
mod clients;
mod entity_tags;
mod http;
pub(crate) mod openapi;
mod reads;
mod reasons;
mod recipes;
mod refusals;
mod several_agents;
mod several_agents_load;
mod standard_clients;
