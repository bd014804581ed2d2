//! The queues that the views of open event streams show.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A filter that returns whether a stream shows the queue with this name.
pub type ShowsQueue = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The views of the open streams.
#[derive(Default)]
pub(super) struct WatchedQueues {
    /// The number of followers and the filter of each view, by the view's key. A view may have two
    /// followers for a moment, if its last stream has just been closed and another one was opened.
    views: HashMap<String, (usize, ShowsQueue)>,
}

impl fmt::Debug for WatchedQueues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.views.keys()).finish()
    }
}

impl WatchedQueues {
    /// Records that a follower of this view was created.
    pub(super) fn add(&mut self, view: &str, shows: ShowsQueue) {
        let (followers, _) = self.views.entry(view.to_owned()).or_insert((0, shows));
        *followers += 1;
    }

    /// Records that a follower of this view was dropped.
    pub(super) fn remove(&mut self, view: &str) {
        if let Some((followers, _)) = self.views.get_mut(view) {
            *followers -= 1;
            if *followers == 0 {
                self.views.remove(view);
            }
        }
    }

    /// Returns whether no view has an open stream.
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
