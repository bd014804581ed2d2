//! The event stream on the wire: text as it comes, signs of life, and an end that
//! is announced.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::api::EventStream;

/// How often something is sent, so that proxies don't take the stream for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A stream that is open. Its end is logged, however it comes.
struct Open {
    events: EventStream,
    /// What is still to be sent of the last events.
    pieces: VecDeque<Bytes>,
    stop: CancellationToken,
    withdrawn: CancellationToken,
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
        withdrawn: events.withdrawn(),
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
                    () = open.withdrawn.cancelled() => {}
                }
            };
            tokio::select! {
                biased;
                () = over => {
                    open.ended = true;
                    open.pieces.extend(open.events.shutdown());
                }
                pieces = open.events.next() => open.pieces.extend(pieces),
                () = sleep(HEARTBEAT) => open.pieces.push_back(Bytes::from_static(b":\n\n")),
            }
        }
    })
}
