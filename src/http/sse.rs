//! Event streams on the wire: framing, heartbeats, and the final event.

use std::collections::VecDeque;
use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::api::{EventStream, StreamEvent};

/// How often to send a comment while there are no events. Proxies close silent connections.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// A comment, which clients ignore.
const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// Data with fewer bytes than this is copied into the piece before it, because a separate
/// piece would cost more.
const MIN_SHARED_PIECE: usize = 8 * 1024;

/// The body of an event stream. It ends when `stop` is canceled or the user may no longer
/// see the events. The next events are requested only when the client has read the previous
/// ones, so a slow client receives the current state and not a backlog.
pub(super) fn text(
    events: EventStream,
    stop: CancellationToken,
    request_id: String,
) -> impl Stream<Item = Bytes> + Send {
    let open = OpenStream {
        revoked: events.revoked(),
        events,
        unsent: VecDeque::new(),
        stop,
        has_ended: false,
        since: Instant::now(),
        request_id,
    };
    unfold(open, |mut open| async move {
        let piece = open.next_piece().await?;
        Some((piece, open))
    })
}

/// An open event stream. Dropping it logs how long it was open.
struct OpenStream {
    events: EventStream,
    unsent: VecDeque<Bytes>,
    stop: CancellationToken,
    revoked: CancellationToken,
    /// Whether the bridge has sent the last event.
    has_ended: bool,
    since: Instant,
    request_id: String,
}

impl OpenStream {
    /// The next piece of text; `None` after the last one.
    async fn next_piece(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.unsent.pop_front() {
                return Some(piece);
            }
            if self.has_ended {
                return None;
            }
            let must_end = async {
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    () = self.revoked.cancelled() => {}
                }
            };
            tokio::select! {
                biased;
                () = must_end => {
                    self.has_ended = true;
                    self.unsent.extend(frame(self.events.shutdown()));
                }
                events = self.events.next() => self.unsent.extend(frame(events)),
                () = sleep(HEARTBEAT_INTERVAL) => self.unsent.push_back(HEARTBEAT),
            }
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let seconds = self.since.elapsed().as_secs();
        let by_client = !self.has_ended;
        info!(
            target: "ami_bridge::request",
            request_id = self.request_id,
            seconds,
            by_client,
            "event stream ended"
        );
    }
}

/// Writes events in the format `text/event-stream`, in pieces.
fn frame(events: Vec<StreamEvent>) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    let mut current: Vec<u8> = Vec::new();
    for event in events {
        let StreamEvent { position, name, .. } = &event;
        // Writing to a `Vec` can't fail.
        let _ = write!(current, "id: {position}\nevent: {name}\ndata: ");
        for piece in event.data {
            if piece.len() < MIN_SHARED_PIECE {
                current.extend_from_slice(&piece);
            } else {
                if !current.is_empty() {
                    pieces.push(std::mem::take(&mut current).into());
                }
                pieces.push(piece);
            }
        }
        current.extend_from_slice(b"\n\n");
    }
    pieces.push(current.into());
    pieces
}
