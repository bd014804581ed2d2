//! The queues that open event streams show.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Whether a stream shows the queue of that name.
pub type Shows = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What streams show. Those that show the same are one view.
#[derive(Default)]
pub(super) struct WatchedQueues {
    views: HashMap<String, (usize, Shows)>,
}

impl fmt::Debug for WatchedQueues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.views.keys()).finish()
    }
}

impl WatchedQueues {
    /// A stream shows what that view has.
    pub(super) fn add(&mut self, view: &str, shows: Shows) {
        let (streams, _) = self.views.entry(view.to_owned()).or_insert((0, shows));
        *streams += 1;
    }

    /// A stream of that view has ended.
    pub(super) fn remove(&mut self, view: &str) {
        if let Some((streams, _)) = self.views.get_mut(view) {
            *streams -= 1;
            if *streams == 0 {
                self.views.remove(view);
            }
        }
    }

    /// Whether there are no streams.
    pub(super) fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// What each view shows.
    pub(super) fn views(&self) -> Vec<Shows> {
        self.views
            .values()
            .map(|(_, shows)| Arc::clone(shows))
            .collect()
    }
}
