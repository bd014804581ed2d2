//! Response bodies.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};

use super::sse::EventBody;

/// A response body.
pub enum ReplyBody {
    /// A complete body, in pieces.
    Pieces(VecDeque<Bytes>),
    /// An event stream. The listener takes it out of the response before hyper sends the response.
    Events(Box<EventBody>),
}

impl ReplyBody {
    /// Creates a complete body from one piece.
    pub fn whole(body: impl Into<Bytes>) -> Self {
        Self::Pieces(VecDeque::from([body.into()]))
    }
}

impl Default for ReplyBody {
    fn default() -> Self {
        Self::Pieces(VecDeque::new())
    }
}

impl From<Vec<Bytes>> for ReplyBody {
    fn from(pieces: Vec<Bytes>) -> Self {
        Self::Pieces(pieces.into())
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match self.get_mut() {
            Self::Pieces(pieces) => pieces.pop_front(),
            Self::Events(_) => None,
        };
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Pieces(pieces) if pieces.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Pieces(pieces) => {
                let size: usize = pieces.iter().map(Buf::remaining).sum();
                SizeHint::with_exact(size as u64)
            }
            Self::Events(_) => SizeHint::default(),
        }
    }
}
