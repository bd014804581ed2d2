//! Event streams on the wire: encoding, heartbeats, and the final event.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::api::{EventStream, StreamEvent};
use crate::organizations::Account;

/// How often to send a heartbeat while there are no events. Proxies close idle connections.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// An SSE comment, which clients ignore.
const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// Data smaller than this, in bytes, is copied into the preceding piece, because sending a
/// separate piece costs more than copying.
const MIN_SHARED_PIECE: usize = 8 * 1024;

/// Returns the body of an event stream. The body ends when `stop` is canceled, when a reload
/// changes or removes the account, or when the account expires. The next events are requested only
/// after the client has read the previous ones, so a slow client receives the current state instead
/// of a backlog.
pub(super) fn body(
    events: EventStream,
    stop: CancellationToken,
    request_id: String,
) -> impl Stream<Item = Bytes> + Send {
    let open = OpenStream {
        account: events.account(),
        events,
        unsent: VecDeque::new(),
        stop,
        has_ended: false,
        opened_at: Instant::now(),
        request_id,
    };
    unfold(open, |mut open| async move {
        let piece = open.next_piece().await?;
        Some((piece, open))
    })
}

/// An open event stream. Dropping it logs how long the stream was open.
struct OpenStream {
    events: EventStream,
    unsent: VecDeque<Bytes>,
    stop: CancellationToken,
    account: Arc<Account>,
    /// Whether the bridge, not the client, has ended the stream.
    has_ended: bool,
    opened_at: Instant,
    request_id: String,
}

impl OpenStream {
    /// Returns the next piece of text, or `None` after the final event.
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
                    () = self.account.ended() => {}
                }
            };
            tokio::select! {
                biased;
                () = must_end => {
                    self.has_ended = true;
                    self.unsent.extend(encode(self.events.shutdown()));
                }
                events = self.events.next() => self.unsent.extend(encode(events)),
                () = sleep(HEARTBEAT_INTERVAL) => self.unsent.push_back(HEARTBEAT),
            }
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let seconds = self.opened_at.elapsed().as_secs();
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

/// Encodes events as `text/event-stream`, in pieces.
fn encode(events: Vec<StreamEvent>) -> Vec<Bytes> {
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
