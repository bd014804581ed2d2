//! Event streams: which events they contain, in which order, and their text.
//!
//! ```text
//! state ── change log ──► renderer ──► ring ──► streams ──► sockets
//!          (one a PBX)    (one a view)          (many a view)
//! ```
//!
//! A [view](StreamView) is everything that determines a stream's bytes: the PBX, the account with
//! its limits, the version of its entry, and the chosen queues. All streams of a view send the same
//! bytes, so these are rendered once:
//!
//! 1. The view's [`renderer`] waits for changes in the PBX's change log and renders those that the
//!    view shows as a [`Batch`](batch::Batch), at most eight times a second.
//! 2. It appends the batch to the view's [`ring`], which stores the batch until every stream has
//!    taken it. Streams take references to its bytes, each at its own speed. A ring that grows too
//!    large drops its oldest batches. A stream that has missed one continues with a snapshot.
//! 3. The renderer also renders [`snapshots`], on request. All streams that need one while the
//!    state is the same share it.
//! 4. A [stream](EventStream) stores how far its client has received the changes, and sends only
//!    the later ones, because a batch may overlap with the snapshot before it.
//!
//! A client that reconnects first gets the changes that it missed. They are rendered from the
//! change log for this stream alone, as far as the view's renderer has come. From there on, the
//! stream follows the ring.
//!
//! [`StreamViews`] contains the views that have streams. A view starts with its first stream, and
//! ends with its last.

mod batch;
mod channel;
mod frame;
mod position;
mod renderer;
mod ring;
mod snapshots;
mod stream;
mod view;
mod views;

pub use frame::Frame;
pub use position::StreamPosition;
pub use stream::EventStream;
pub(super) use view::StreamView;
pub use views::{StreamViews, ViewId};
