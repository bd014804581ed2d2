//! Follows changes to a PBX's queues.

use std::sync::Arc;

use tokio::sync::watch;

use super::state::{ShowsQueue, StateChange};
use super::store::Store;

/// The maximum number of changes that one call of [`Follower::since`] returns.
const MAX_CHANGES: usize = 512;

/// Follows changes to a PBX's queues on behalf of an event stream. While a follower exists,
/// the bridge refreshes the statistics of the queues that its stream shows.
#[derive(Debug)]
pub struct Follower {
    store: Arc<Store>,
    latest: watch::Receiver<u64>,
    /// The view's key. Streams that show the same queues share a view.
    view: String,
}

impl Follower {
    pub(super) fn new(store: Arc<Store>, view: &str, shows: ShowsQueue) -> Self {
        let latest = store.latest.subscribe();
        store.metrics.stream_clients.inc();
        store.change(|mirror, _| mirror.watch(view, shows));
        // The statistics of these queues may be outdated.
        store.wake_refresher.notify_one();
        let view = view.to_owned();
        Self {
            store,
            latest,
            view,
        }
    }

    /// Waits for a change after `number`.
    pub async fn changed_since(&mut self, number: u64) {
        // `wait_for` fails only if the sender was dropped, but `self.store` owns the sender.
        let _ = self.latest.wait_for(|latest| *latest > number).await;
    }

    /// Returns at most [`MAX_CHANGES`] changes after `number`, each with its number, and the
    /// number of the last returned change. Returns `None` if the change log has already
    /// dropped some of the changes after `number`.
    #[must_use]
    pub fn since(&self, number: u64) -> Option<(Vec<(u64, StateChange)>, u64)> {
        let changes = self
            .store
            .read(|mirror| mirror.changes_since(number, MAX_CHANGES))?;
        let last = changes.last().map_or(number, |(number, _)| *number);
        Some((changes, last))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.store.metrics.stream_clients.dec();
        self.store.change(|mirror, _| mirror.unwatch(&self.view));
    }
}
