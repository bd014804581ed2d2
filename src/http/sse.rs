//! The event stream on the wire: framing, heartbeats, and an announced end.

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

/// Interval of comments on an idle stream, so that proxies don't take it for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Pieces of data below this size, in bytes, are copied: that is cheaper than another piece.
const MIN_SHARED_PIECE: usize = 8 * 1024;

/// A stream that is open. Its end is logged, however it comes.
struct Open {
    events: EventStream,
    /// What is still to be sent of the last events.
    pieces: VecDeque<Bytes>,
    stop: CancellationToken,
    revoked: CancellationToken,
    ended: bool,
    since: Instant,
    request_id: String,
}

impl Drop for Open {
    fn drop(&mut self) {
        let seconds = self.since.elapsed().as_secs();
        let by_client = !self.ended;
        info!(
            target: "ami_bridge::request",
            request_id = self.request_id,
            seconds,
            by_client,
            "event stream ended"
        );
    }
}

/// The text of the stream until `stop`, or until its user has changed, piece by piece,
/// as fast as it is read: a slow reader is brought up to date when it comes.
pub(super) fn text(
    events: EventStream,
    stop: CancellationToken,
    request_id: String,
) -> impl Stream<Item = Bytes> + Send {
    let open = Open {
        revoked: events.revoked(),
        events,
        pieces: VecDeque::new(),
        stop,
        ended: false,
        since: Instant::now(),
        request_id,
    };
    unfold(open, |mut open| async move {
        loop {
            if let Some(piece) = open.pieces.pop_front() {
                return Some((piece, open));
            }
            if open.ended {
                return None;
            }
            let over = async {
                tokio::select! {
                    () = open.stop.cancelled() => {}
                    () = open.revoked.cancelled() => {}
                }
            };
            tokio::select! {
                biased;
                () = over => {
                    open.ended = true;
                    open.pieces.extend(frame(open.events.shutdown()));
                }
                events = open.events.next() => open.pieces.extend(frame(events)),
                () = sleep(HEARTBEAT) => open.pieces.push_back(Bytes::from_static(b":\n\n")),
            }
        }
    })
}

/// Writes events in the format of `text/event-stream`.
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
                pieces.push(std::mem::take(&mut current).into());
                pieces.push(piece);
            }
        }
        current.extend_from_slice(b"\n\n");
    }
    pieces.push(current.into());
    pieces
}
