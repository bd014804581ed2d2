//! The queues that open event streams show.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Whether a stream shows the queue with this name.
pub type ShowsQueue = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The views of the open streams. Streams that show the same queues share one view.
#[derive(Default)]
pub(super) struct WatchedQueues {
    /// By the view's key, with the number of its streams.
    views: HashMap<String, (usize, ShowsQueue)>,
}

impl fmt::Debug for WatchedQueues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.views.keys()).finish()
    }
}

impl WatchedQueues {
    /// A stream of the view was opened.
    pub(super) fn add(&mut self, view: &str, shows: ShowsQueue) {
        let (streams, _) = self.views.entry(view.to_owned()).or_insert((0, shows));
        *streams += 1;
    }

    /// A stream of the view was closed.
    pub(super) fn remove(&mut self, view: &str) {
        if let Some((streams, _)) = self.views.get_mut(view) {
            *streams -= 1;
            if *streams == 0 {
                self.views.remove(view);
            }
        }
    }

    /// Whether no stream is open.
    pub(super) fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// A test for each view: whether it shows a queue.
    pub(super) fn views(&self) -> Vec<ShowsQueue> {
        self.views
            .values()
            .map(|(_, shows)| Arc::clone(shows))
            .collect()
    }
}
