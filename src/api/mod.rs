//! The API, independent of HTTP: [`form`] holds the parameters of a request, [`service`]
//! the order of checks, [`actions`] what each action does, [`tenant`] an organization's part
//! of its PBX, [`json`] what responses and events show, and [`events`] the event stream.

mod accounts;
mod actions;
mod changes;
mod credentials;
mod errors;
mod events;
mod form;
mod json;
mod parameters;
mod pause_everywhere;
mod refusal;
mod request_metrics;
mod response;
mod service;
mod tenant;

pub use accounts::Accounts;
pub use actions::{LoggedParameters, check_query, permissions};
pub use credentials::Credentials;
pub use errors::{ApiError, Code};
pub use events::{EventStream, StreamEvent, StreamPosition};
pub use form::Form;
#[cfg(test)]
pub(crate) use form::PARAMETER_NAMES;
pub use json::MemberJsonCache;
pub use request_metrics::RequestMetrics;
pub use response::Response;
pub use service::{Api, ApiRequest};
