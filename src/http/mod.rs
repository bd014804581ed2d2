//! HTTP: the listener and its limits ([`server`]), the routes ([`routes`]), who
//! the client is ([`forwarded`]), and the listener for operations ([`admin`]).

mod admin;
mod forwarded;
mod routes;
mod server;

pub use admin::Admin;
pub use routes::Routes;
pub use server::{Handler, Limits, serve};
