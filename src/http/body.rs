//! Response bodies.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use hyper::body::{Body, Frame, SizeHint};

/// A response body.
pub enum ReplyBody {
    /// A complete body, in pieces.
    Pieces(VecDeque<Bytes>),
    /// A body that is generated while the client receives it.
    Stream(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
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
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = match self.get_mut() {
            Self::Pieces(pieces) => Poll::Ready(pieces.pop_front()),
            Self::Stream(stream) => stream.as_mut().poll_next(context),
        };
        data.map(|data| data.map(|data| Ok(Frame::data(data))))
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
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
