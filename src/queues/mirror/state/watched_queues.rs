//! The queues that open event streams show.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A filter that returns whether a stream shows the queue with this name.
pub type ShowsQueue = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The views of the open streams. Streams that show the same queues share a view.
#[derive(Default)]
pub(super) struct WatchedQueues {
    /// The number of streams and the filter of each view, by the view's key.
    views: HashMap<String, (usize, ShowsQueue)>,
}

impl fmt::Debug for WatchedQueues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.views.keys()).finish()
    }
}

impl WatchedQueues {
    /// Records that a stream with this view was opened.
    pub(super) fn add(&mut self, view: &str, shows: ShowsQueue) {
        let (streams, _) = self.views.entry(view.to_owned()).or_insert((0, shows));
        *streams += 1;
    }

    /// Records that a stream with this view was closed.
    pub(super) fn remove(&mut self, view: &str) {
        if let Some((streams, _)) = self.views.get_mut(view) {
            *streams -= 1;
            if *streams == 0 {
                self.views.remove(view);
            }
        }
    }

    /// Returns whether no stream is open.
    pub(super) fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// Returns each view's filter.
    pub(super) fn views(&self) -> Vec<ShowsQueue> {
        self.views
            .values()
            .map(|(_, shows)| Arc::clone(shows))
            .collect()
    }
}
