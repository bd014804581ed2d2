//! An organization's event stream: which events it contains, and in which order.
//! `http::sse` encodes them.

mod position;
mod stream;
mod view;

use bytes::Bytes;

pub use position::StreamPosition;
pub use stream::EventStream;
pub(super) use view::StreamView;

/// An event.
#[derive(Debug)]
pub struct StreamEvent {
    /// The client's position after this event.
    pub position: StreamPosition,
    /// The event's type: `snapshot`, `member`, `queue`, `pbx` or `shutdown`.
    pub name: &'static str,
    /// JSON in pieces, without line breaks.
    pub data: Vec<Bytes>,
}
