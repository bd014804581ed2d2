//! Follows the changes of a PBX's queues, for one event stream.

use std::sync::Arc;

use tokio::sync::watch;

use super::state::{ShowsQueue, StateChange};
use super::store::Store;

/// The most changes that [`Follower::since`] returns at once.
const MAX_CHANGES: usize = 512;

/// Follows the changes of a PBX's queues. As long as it exists, the statistics of the
/// queues that it shows are refreshed.
#[derive(Debug)]
pub struct Follower {
    store: Arc<Store>,
    latest: watch::Receiver<u64>,
    /// Key of the view. Streams that show the same queues share a view.
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
        // Fails only if the sender is gone, but `self.store` owns it.
        let _ = self.latest.wait_for(|latest| *latest > number).await;
    }

    /// The changes after `number`, each with its own number, and the number of the last.
    /// Returns at most [`MAX_CHANGES`] of them. `None` if the change log does not reach
    /// back so far.
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
