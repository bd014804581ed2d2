//! Counts a client as busy until its response has been sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, SizeHint};

use super::slots::BusyGuard;
use crate::http::body::ReplyBody;

/// A response body whose client counts as busy until the body is sent.
pub(super) struct BusyBody {
    body: ReplyBody,
    _busy: BusyGuard,
}

impl BusyBody {
    pub(super) fn new(body: ReplyBody, busy: BusyGuard) -> Self {
        Self { body, _busy: busy }
    }
}

impl Body for BusyBody {
    type Data = <ReplyBody as Body>::Data;
    type Error = <ReplyBody as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
