//! HTTP: the listener and its limits ([`server`]), the routes ([`routes`]), who
//! the client is ([`forwarded`]), the panel ([`panel`]), and the listener for operations ([`admin`]).

mod admin;
mod body;
mod cors;
mod events;
mod forwarded;
mod panel;
mod routes;
mod server;
mod tls;

pub use admin::Admin;
pub use panel::Panel;
pub use routes::{Current, Routes};
pub use server::{Handler, Limits, Listener, serve};
pub use tls::{CertificateFiles, Tls};
