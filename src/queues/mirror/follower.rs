//! Follows changes to a PBX's queues.

use std::sync::Arc;

use tokio::sync::watch;

use super::state::ShowsQueue;
use super::store::Store;

/// Waits for changes to a PBX's queues on behalf of a view of event streams. While a follower
/// exists, the bridge refreshes the statistics of the queues that the view shows.
#[derive(Debug)]
pub struct Follower {
    store: Arc<Store>,
    latest: watch::Receiver<u64>,
    /// The view's key.
    view: String,
}

impl Follower {
    pub(super) fn new(store: Arc<Store>, view: &str, shows: ShowsQueue) -> Self {
        let latest = store.latest.subscribe();
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
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.store.change(|mirror, _| mirror.unwatch(&self.view));
    }
}
