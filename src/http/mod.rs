//! HTTP: the API listener with its routes, the web pages, and the admin listener.
//!
//! - [`listener`] accepts connections and serves them with a [`Handler`].
//! - [`routes`] dispatches API requests; [`reply`], [`sse`], [`openapi`] and [`pages`] build
//!   the responses.
//! - [`admin`] handles the admin listener's requests, and [`metrics`] renders `/metrics`.

mod admin;
mod body;
mod handler;
mod listener;
mod metrics;
mod openapi;
mod pages;
mod reply;
mod request_id;
mod routes;
mod sse;

pub use admin::Admin;
pub use body::ReplyBody;
pub use handler::Handler;
#[cfg(test)]
pub(crate) use listener::CONNECTION_WARNING_PERCENT;
pub use listener::{CertificateFiles, Listener, Slots, Timeouts, Tls, listen, serve};
pub use metrics::BridgeMetrics;
pub use pages::Pages;
pub use routes::{EVENTS_PATH, OPENAPI_PATH, Routes, RoutesSlot};
