//! Takes a connection from hyper to send an event stream.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use hyper::{HeaderMap, Response, Version};

use crate::http::body::ReplyBody;
use crate::http::sse::EventBody;

/// Takes a connection from hyper to send an event stream.
#[derive(Default)]
pub(super) struct Takeover {
    response: Mutex<Option<EventResponse>>,
    /// Whether hyper still has bytes to write.
    pub(super) is_blocked: Arc<AtomicBool>,
}

/// The end of hyper's work on a connection.
pub(super) enum Served {
    /// hyper has closed the connection.
    Closed(hyper::Result<()>),
    /// The connection must send an event stream.
    Events(EventResponse),
}

/// A response with an event stream.
pub(super) struct EventResponse {
    pub(super) headers: HeaderMap,
    /// The version of the request.
    pub(super) version: Version,
    pub(super) body: Box<EventBody>,
}

impl Takeover {
    /// Returns the response for hyper. Does not return if the response is an event stream.
    pub(super) async fn offer(
        &self,
        response: Response<ReplyBody>,
        version: Version,
    ) -> Response<ReplyBody> {
        let (parts, body) = response.into_parts();
        let ReplyBody::Events(body) = body else {
            return Response::from_parts(parts, body);
        };
        let response = EventResponse {
            headers: parts.headers,
            version,
            body,
        };
        *self.response.lock().unwrap_or_else(PoisonError::into_inner) = Some(response);
        pending().await
    }

    /// Lets hyper serve the connection until it closes or must send an event stream.
    pub(super) async fn serve<C>(&self, connection: &mut C) -> Served
    where
        C: Future<Output = hyper::Result<()>> + Unpin,
    {
        poll_fn(|context| {
            if let Poll::Ready(result) = Pin::new(&mut *connection).poll(context) {
                return Poll::Ready(Served::Closed(result));
            }
            // hyper may not have written the whole response to the client's previous request.
            if self.is_blocked.load(Ordering::Relaxed) {
                return Poll::Pending;
            }
            match self.take() {
                Some(response) => Poll::Ready(Served::Events(response)),
                None => Poll::Pending,
            }
        })
        .await
    }

    fn take(&self) -> Option<EventResponse> {
        let mut response = self.response.lock().unwrap_or_else(PoisonError::into_inner);
        response.take()
    }
}
