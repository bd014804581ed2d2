//! HTTP: the API's listener with its routes, the web pages, and the admin listener.
//!
//! - [`listener`] accepts connections and serves each of them with a [`Handler`].
//! - [`routes`] is the handler of the API: it dispatches requests, and [`reply`], [`sse`],
//!   [`openapi`] and [`pages`] make the responses.
//! - [`admin`] is the handler of the admin listener, and [`metrics`] writes `/metrics`.

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
pub use listener::{CertificateFiles, Listener, Slots, Timeouts, Tls, listen, serve};
pub use metrics::BridgeMetrics;
pub use pages::Pages;
pub use routes::{CONTRACT, EVENTS, Routes, RoutesSlot};
