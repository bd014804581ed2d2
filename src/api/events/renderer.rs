//! Renders a view's changes and snapshots for all of its streams.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::batch::{self, Entry};
use super::channel::Channel;
use super::snapshots::Snapshot;
use super::view::StreamView;
use crate::api::errors::ApiError;
use crate::queues::mirror::Follower;

/// Minimum interval between two batches of events. With many members, changes arrive
/// faster than anyone can read the statistics sent after them.
const BATCH_INTERVAL: Duration = Duration::from_millis(125);

/// How long to wait before retrying a failed snapshot.
const SNAPSHOT_RETRY_DELAY: Duration = Duration::from_secs(1);

/// How often to send a heartbeat while there are no events. Proxies close idle connections.
pub(super) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

type SnapshotFuture = Pin<Box<dyn Future<Output = Result<Snapshot, ApiError>> + Send>>;

/// Renders a view's changes and snapshots for all of its streams. The streams end when the
/// renderer is dropped.
pub(super) struct Renderer {
    view: Arc<StreamView>,
    channel: Arc<Channel>,
    follower: Follower,
    /// The number of the last change that was rendered.
    rendered: u64,
    /// The earliest time for the next batch.
    next_batch: Instant,
    next_heartbeat: Instant,
}

impl Renderer {
    /// Creates a renderer that starts with the change after `rendered`.
    pub(super) fn new(view: Arc<StreamView>, channel: Arc<Channel>, rendered: u64) -> Self {
        let now = Instant::now();
        Self {
            follower: view.follow(),
            view,
            channel,
            rendered,
            next_batch: now,
            next_heartbeat: now + HEARTBEAT_INTERVAL,
        }
    }

    /// Renders until `stop` is canceled or the account ends.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let account = Arc::clone(&self.view.account);
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = account.ended() => {}
            () = self.render() => {}
        }
    }

    /// Never returns.
    async fn render(&mut self) {
        // Reading a snapshot may take long, and does not delay the batches.
        let mut reading: Option<SnapshotFuture> = None;
        loop {
            let channel = Arc::clone(&self.channel);
            let expires_at = channel.snapshots().expires_at();
            let next_heartbeat = self.next_heartbeat;
            tokio::select! {
                biased;
                result = poll_if_some(&mut reading) => {
                    reading = None;
                    self.provide(result);
                }
                () = channel.snapshot_due(), if reading.is_none() => {
                    let view = Arc::clone(&self.view);
                    reading = Some(Box::pin(async move { view.snapshot().await }));
                }
                entries = self.next_entries() => {
                    self.next_heartbeat = Instant::now() + HEARTBEAT_INTERVAL;
                    // The snapshot no longer matches the state.
                    channel.snapshots().forget();
                    channel.push(entries, self.rendered);
                }
                () = sleep_until_some(expires_at) => channel.snapshots().forget(),
                () = sleep_until(next_heartbeat) => {
                    self.next_heartbeat = next_heartbeat + HEARTBEAT_INTERVAL;
                    channel.push(vec![Entry::Heartbeat], self.rendered);
                }
            }
        }
    }

    fn provide(&mut self, result: Result<Snapshot, ApiError>) {
        match result {
            // Does not postpone the heartbeat: streams that do not need the snapshot get no text.
            Ok(snapshot) => self.channel.publish(snapshot),
            Err(error) => {
                let retry_at = Instant::now() + SNAPSHOT_RETRY_DELAY;
                self.channel.fail(error, retry_at);
            }
        }
    }

    /// Waits for changes that the view shows, and renders them.
    ///
    /// # Cancel safety
    /// No change is lost if the future is dropped.
    async fn next_entries(&mut self) -> Vec<Entry> {
        loop {
            self.follower.changed_since(self.rendered).await;
            sleep_until(self.next_batch).await;
            let Some(changes) = self.view.pbx.changes_since(self.rendered) else {
                // The change log has dropped changes that were not rendered yet.
                self.rendered = self.view.pbx.latest_change();
                let change = self.rendered;
                return vec![Entry::SnapshotNeeded { change }];
            };
            let Some((latest, _)) = changes.last() else {
                continue;
            };
            self.rendered = *latest;
            let entries = batch::render(&self.view, &changes);
            if !entries.is_empty() {
                self.next_batch = Instant::now() + BATCH_INTERVAL;
                return entries;
            }
            self.channel.push(Vec::new(), self.rendered);
        }
    }
}

impl Drop for Renderer {
    fn drop(&mut self) {
        self.channel.end();
    }
}

async fn poll_if_some<F: Future + Unpin>(future: &mut Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}

async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::super::channel::Reader;
    use super::super::frame::Frame;
    use super::super::ring::Taken;
    use super::*;
    use crate::organizations::{Account, Limits, Organization};
    use crate::queues::mirror::unreachable_pbx;

    #[tokio::test(start_paused = true)]
    async fn quiet_stream_gets_heartbeats_while_others_get_snapshots() {
        let (pbx, _tasks) = unreachable_pbx(CancellationToken::new());
        let organization = Organization::for_test(&["*"], "{queue}");
        let account = Account::for_test(organization, Limits::default());
        let view = Arc::new(StreamView::new(&pbx, Arc::default(), account, None, "r1"));
        let rendered = pbx.latest_change();
        let channel = Channel::new(rendered, Arc::default());
        let (mut quiet, _) = Reader::join(&channel);
        let mut renderer = Renderer::new(view, Arc::clone(&channel), rendered);
        for _ in 0..4 {
            renderer.provide(Ok(Snapshot {
                change: rendered,
                stale: false,
                missing: None,
                frame: Frame::heartbeat(),
            }));
            let rendering = timeout(HEARTBEAT_INTERVAL / 3, renderer.render());
            assert!(rendering.await.is_err());
        }
        let entry = quiet.take();
        assert!(
            matches!(&entry, Taken::Entry(entry) if matches!(**entry, Entry::Heartbeat)),
            "{entry:?}"
        );
    }
}
