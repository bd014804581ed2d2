//! Connects a listener to the code that answers its requests.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response};

use super::body::ReplyBody;

/// Answers the requests of a listener.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. `peer` is the address of the TCP connection.
    fn handle(
        self: Arc<Self>,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<ReplyBody>> + Send;
}

/// A response extension: the client has sent valid credentials. The listener closes the
/// connections of other clients first when it runs out of slots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Authenticated;
