//! HTTP: the listener and its limits ([`server`]), the routes ([`routes`]), the
//! contract for machines ([`openapi`]), the panel ([`panel`]), who the client is
//! ([`forwarded`]), and the listener for operations ([`admin`]).

mod admin;
mod body;
mod connection;
mod cors;
mod explain;
mod forwarded;
mod incoming;
mod metrics;
mod openapi;
mod pages;
mod reply;
mod routes;
mod server;
mod slots;
mod sse;
mod tls;

pub use admin::Admin;
pub use pages::Panel;
pub use routes::{CONTRACT, EVENTS, Routes, RoutesSlot};
pub use server::{Handler, Limits, Listener, listen, serve};
pub use slots::Slots;
pub use tls::{CertificateFiles, Tls};
