//! Holds the current routes, which a reload replaces.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use hyper::body::Incoming;
use hyper::{Request, Response};

use super::Routes;
use crate::api::Api;
use crate::http::body::ReplyBody;
use crate::http::handler::Handler;

/// The current routes.
#[derive(Debug)]
pub struct RoutesSlot(RwLock<Arc<Routes>>);

impl RoutesSlot {
    /// Creates a slot with its first routes.
    #[must_use]
    pub fn new(routes: Routes) -> Self {
        Self(RwLock::new(Arc::new(routes)))
    }

    /// Returns the current API.
    #[must_use]
    pub fn api(&self) -> Arc<Api> {
        Arc::clone(&self.get().api)
    }

    /// Replaces the routes. Running requests and open event streams continue with the old
    /// routes.
    pub fn replace(&self, routes: Routes) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(routes);
    }

    fn get(&self) -> Arc<Routes> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Handler for RoutesSlot {
    async fn handle(
        self: Arc<Self>,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> Response<ReplyBody> {
        self.get().handle(peer, request).await
    }
}
