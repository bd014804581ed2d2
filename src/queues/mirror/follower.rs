//! Someone who follows the changes of a PBX's queues.

use std::sync::Arc;

use tokio::sync::watch;

use super::change_log::StateChange;
use super::store::Store;
use super::watched_queues::Shows;

/// Changes that are handed out at once.
const MAX_CHANGES: usize = 512;

/// A place in the change log. As long as there is one, the figures of the queues
/// that it shows are kept new.
#[derive(Debug)]
pub struct Follower {
    store: Arc<Store>,
    latest: watch::Receiver<u64>,
    /// Key of the view; streams that show the same queues share it.
    view: String,
}

impl Follower {
    pub(super) fn new(store: Arc<Store>, view: &str, shows: Shows) -> Self {
        let latest = store.latest.subscribe();
        store.metrics.stream_clients.inc();
        store.change(|mirror, _| mirror.watched.add(view, shows));
        // There may be figures to ask for now.
        store.work.notify_one();
        let view = view.to_owned();
        Self {
            store,
            latest,
            view,
        }
    }

    /// Waits for a change after `number`.
    pub async fn changed_since(&mut self, number: u64) {
        // An error would mean that the store is gone, which this keeps.
        let _ = self.latest.wait_for(|latest| *latest > number).await;
    }

    /// The changes behind that number, each with its own, not too many at once,
    /// and the number of the last; `None` where the change_log does not go back so
    /// far.
    #[must_use]
    pub fn since(&self, number: u64) -> Option<(Vec<(u64, StateChange)>, u64)> {
        self.store.read(|mirror| {
            let changes = mirror.change_log.since(number)?.take(MAX_CHANGES);
            let changes = changes.map(|(number, change)| (number, change.clone()));
            let changes: Vec<_> = changes.collect();
            let last = changes.last().map_or(number, |(number, _)| *number);
            Some((changes, last))
        })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.store.metrics.stream_clients.dec();
        self.store
            .change(|mirror, _| mirror.watched.remove(&self.view));
    }
}
