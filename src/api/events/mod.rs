//! The event stream of an organization: what its events say and in which order. How they
//! are written on the wire is the business of `http::sse`.

mod position;
mod stream;
mod view;

use bytes::Bytes;

pub use position::StreamPosition;
pub use stream::EventStream;
pub(super) use view::StreamView;

/// One event of the stream.
#[derive(Debug)]
pub struct StreamEvent {
    /// Where the client stands once it has this event.
    pub position: StreamPosition,
    /// The event's type: `snapshot`, `member`, `queue`, `pbx` or `shutdown`.
    pub name: &'static str,
    /// JSON without line breaks, in pieces.
    pub data: Vec<Bytes>,
}
