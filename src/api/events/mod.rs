//! The event stream of an organization: the content and the order of its events.
//! `http::sse` writes them on the wire.

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
    /// The position of a client that has received this event.
    pub position: StreamPosition,
    /// The event's type: `snapshot`, `member`, `queue`, `pbx` or `shutdown`.
    pub name: &'static str,
    /// JSON without line breaks, in pieces.
    pub data: Vec<Bytes>,
}
