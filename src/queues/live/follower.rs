//! Someone who follows the changes of a PBX's queues.

use std::sync::Arc;

use tokio::sync::watch;

use super::journal::Change;
use super::shared::Shared;
use super::watched::Shows;

/// Changes that are handed out at once.
const AT_ONCE: usize = 512;

/// A place in the journal of changes. As long as there is one, the figures of the queues
/// that it shows are kept new.
#[derive(Debug)]
pub struct Follower {
    shared: Arc<Shared>,
    latest: watch::Receiver<u64>,
    /// Key of the view; streams that show the same queues share it.
    view: String,
}

impl Follower {
    pub(super) fn new(shared: Arc<Shared>, view: &str, shows: Shows) -> Self {
        let latest = shared.latest.subscribe();
        shared.metrics.stream_clients.inc();
        shared.change(|mirror, _| mirror.watched.add(view, shows));
        // There may be figures to ask for now.
        shared.work.notify_one();
        let view = view.to_owned();
        Self {
            shared,
            latest,
            view,
        }
    }

    /// Waits until there is a change behind that number.
    pub async fn behind(&mut self, number: u64) {
        // An error would mean that what is shared is gone, which this keeps.
        let _ = self.latest.wait_for(|latest| *latest > number).await;
    }

    /// The changes behind that number, each with its own, not too many at once,
    /// and the number of the last; `None` where the journal does not go back so
    /// far.
    #[must_use]
    pub fn since(&self, number: u64) -> Option<(Vec<(u64, Change)>, u64)> {
        self.shared.look(|mirror| {
            let changes = mirror.journal.since(number)?.take(AT_ONCE);
            let changes = changes.map(|(number, change)| (number, change.clone()));
            let changes: Vec<_> = changes.collect();
            let last = changes.last().map_or(number, |(number, _)| *number);
            Some((changes, last))
        })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.shared.metrics.stream_clients.dec();
        self.shared
            .change(|mirror, _| mirror.watched.remove(&self.view));
    }
}
