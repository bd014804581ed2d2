//! Defines [`Handler`], which handles a listener's requests.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response};

use super::body::ReplyBody;

/// Handles a listener's requests.
pub trait Handler: Send + Sync + 'static {
    /// Handles one request. `peer` is the TCP peer's address.
    fn handle(
        self: Arc<Self>,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<ReplyBody>> + Send;
}

/// A response extension that marks the client as authenticated. A listener that runs out of
/// slots closes only connections of unauthenticated clients.
#[derive(Debug, Clone, Copy)]
pub(super) struct Authenticated;
