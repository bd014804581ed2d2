//! The views that have open streams.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::channel::Channel;
use super::renderer::Renderer;
use super::view::{StreamView, StreamViewKey};

/// The views that have open streams. They survive a reload of the configuration, which ends the
/// streams of the accounts that it changes.
#[derive(Debug)]
pub struct StreamViews {
    live: Mutex<HashMap<StreamViewKey, Weak<LiveView>>>,
    total_bytes: Arc<AtomicUsize>,
    next_id: AtomicU64,
    /// Ends all streams when canceled.
    stop: CancellationToken,
}

impl StreamViews {
    /// Creates an empty set of views, whose streams end when `stop` is canceled.
    #[must_use]
    pub fn new(stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            live: Mutex::default(),
            total_bytes: Arc::default(),
            next_id: AtomicU64::new(0),
            stop,
        })
    }

    /// Returns the live view that shows the same as `view`. Starts it if it has no streams yet.
    pub(super) fn get(self: &Arc<Self>, view: StreamView) -> Arc<LiveView> {
        let key = view.key();
        let mut live = self.lock();
        if let Some(existing) = live.get(&key).and_then(Weak::upgrade) {
            return existing;
        }
        let view = Arc::new(view);
        let rendered = view.pbx.latest_change();
        let channel = Channel::new(rendered, Arc::clone(&self.total_bytes));
        let renderer = Renderer::new(Arc::clone(&view), Arc::clone(&channel), rendered);
        let started = Arc::new(LiveView {
            id: ViewId(self.next_id.fetch_add(1, Ordering::Relaxed)),
            view,
            channel,
            views: Arc::clone(self),
            _renderer: AbortOnDropHandle::new(tokio::spawn(renderer.run(self.stop.clone()))),
        });
        live.insert(key, Arc::downgrade(&started));
        started
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamViewKey, Weak<LiveView>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Identifies a view with open streams. Unique while the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ViewId(u64);

/// A view and its renderer. The view's streams own it, and the renderer ends with the last of them.
pub(super) struct LiveView {
    pub(super) id: ViewId,
    pub(super) view: Arc<StreamView>,
    pub(super) channel: Arc<Channel>,
    views: Arc<StreamViews>,
    _renderer: AbortOnDropHandle<()>,
}

impl fmt::Debug for LiveView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveView").finish_non_exhaustive()
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        let mut live = self.views.lock();
        let key = self.view.key();
        // The view may have been started again since its last stream was closed.
        if live.get(&key).is_some_and(|view| view.strong_count() == 0) {
            live.remove(&key);
        }
    }
}
