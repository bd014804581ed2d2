//! The API, independent of HTTP.
//!
//! [`service`] runs a request through all checks and logs it. [`form`] parses its parameters,
//! [`accounts`] authenticates its account, and [`actions`] contains a file for each action.
//! Actions reach the PBX through a [`tenant`], which shows them only the agents and queues of their
//! account. [`json`] renders responses and events, and [`views`] caches rendered reads. [`events`] is
//! the event stream, and [`tickets`] open it without credentials.

mod accounts;
mod actions;
mod audit;
mod change_everywhere;
mod changes;
mod credentials;
mod ended_pauses;
mod entity_tag;
mod errors;
mod events;
mod form;
mod json;
mod parameters;
mod pause_parameters;
mod refusal;
mod reports;
mod request;
mod request_metrics;
mod response;
mod service;
mod tenant;
mod tickets;
mod views;

pub use accounts::Accounts;
pub use actions::{LoggedParameters, action_names, check_query, permissions};
pub use credentials::Credentials;
pub use ended_pauses::log_ended_pause;
pub use entity_tag::EntityTag;
pub use errors::{ApiError, Challenge, Code};
pub use events::{EventStream, Frame, StreamPosition, StreamViews, ViewId};
pub use form::Form;
pub(crate) use form::reject_tokens;
#[cfg(test)]
pub(crate) use form::{PARAMETER_NAMES, TICKET_PARAMETER_NAMES};
pub use json::MemberJsonCache;
pub use request::ApiRequest;
pub use request_metrics::RequestMetrics;
pub use response::{BodyFormat, Response};
pub use service::Api;
