//! Connects a view's renderer with its streams.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use super::batch::Entry;
use super::ring::{Place, Ring, Taken};
use super::snapshots::{Snapshot, Snapshots};
use crate::api::errors::ApiError;

/// Maximum number of entries that a view stores for its slowest stream. They span several minutes.
const MAX_ENTRIES: usize = 4096;

/// Maximum size of the entries that a view stores for its slowest stream, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Maximum size of the entries of all views, in bytes. Each view may exceed it by one entry.
const MAX_TOTAL_BYTES: usize = 64 * 1024 * 1024;

/// Connects a view's renderer with its streams.
#[derive(Debug)]
pub(super) struct Channel {
    entries: Mutex<Entries>,
    snapshots: Mutex<Snapshots>,
    has_ended: AtomicBool,
    /// Notifies the streams.
    changed: watch::Sender<()>,
    wake_renderer: Notify,
    /// The size of the entries of all views, in bytes.
    total_bytes: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Entries {
    ring: Ring<Entry>,
    /// The number of the last change that was rendered.
    rendered: u64,
}

impl Channel {
    /// Creates a channel. The renderer starts with the change after `rendered`.
    pub(super) fn new(rendered: u64, total_bytes: Arc<AtomicUsize>) -> Arc<Self> {
        Arc::new(Self {
            entries: Mutex::new(Entries {
                ring: Ring::default(),
                rendered,
            }),
            snapshots: Mutex::default(),
            has_ended: AtomicBool::new(false),
            changed: watch::Sender::new(()),
            wake_renderer: Notify::new(),
            total_bytes,
        })
    }

    /// Passes entries to the streams. `rendered` is the number of the last change that was
    /// rendered.
    pub(super) fn push(&self, new: Vec<Entry>, rendered: u64) {
        let is_empty = new.is_empty();
        self.with_entries(|entries| {
            entries.rendered = rendered;
            for entry in new {
                let size = entry.size();
                entries.ring.push(entry, size);
            }
        });
        if !is_empty {
            self.changed.send_replace(());
        }
    }

    /// Accesses the entries, and then drops old ones until they are within the limits.
    fn with_entries<T>(&self, access: impl FnOnce(&mut Entries) -> T) -> T {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let before = entries.ring.bytes();
        let result = access(&mut entries);
        let total = self.total_bytes.load(Ordering::Relaxed) - before;
        let ring = &mut entries.ring;
        while ring.len() > MAX_ENTRIES
            || ring.bytes() > MAX_BYTES
            || total + ring.bytes() > MAX_TOTAL_BYTES
        {
            if !ring.drop_oldest() {
                break;
            }
        }
        let after = ring.bytes();
        if after > before {
            self.total_bytes
                .fetch_add(after - before, Ordering::Relaxed);
        } else if after < before {
            self.total_bytes
                .fetch_sub(before - after, Ordering::Relaxed);
        }
        result
    }

    /// Waits until a stream needs a snapshot, and until the delay after a failed attempt is over.
    pub(super) async fn snapshot_due(&self) {
        loop {
            let woken = self.wake_renderer.notified();
            let now = Instant::now();
            let due = self.snapshots().due(now);
            match due {
                Some(due) if due <= now => return,
                Some(due) => tokio::select! {
                    () = sleep_until(due) => {}
                    () = woken => {}
                },
                None => woken.await,
            }
        }
    }

    /// Provides a snapshot to the streams that need one.
    pub(super) fn publish(&self, snapshot: Snapshot) {
        self.snapshots().publish(snapshot, Instant::now());
        self.changed.send_replace(());
    }

    /// Informs the streams that need a snapshot that the attempt has failed.
    pub(super) fn fail(&self, error: ApiError, retry_at: Instant) {
        self.snapshots().fail(error, retry_at);
        self.changed.send_replace(());
    }

    /// Returns the latest snapshot if it includes the change and is still current. Otherwise,
    /// requests one. See [`Snapshots::get`].
    pub(super) fn snapshot(&self, change: u64, is_urgent: bool) -> Option<Arc<Snapshot>> {
        let snapshot = self.snapshots().get(change, is_urgent, Instant::now());
        if snapshot.is_none() {
            self.wake_renderer.notify_one();
        }
        snapshot
    }

    /// Returns the number of failed snapshots, and the last one's error.
    pub(super) fn failures(&self) -> (u64, Option<ApiError>) {
        let snapshots = self.snapshots();
        let (count, last) = snapshots.failures();
        (count, last.cloned())
    }

    pub(super) fn snapshots(&self) -> MutexGuard<'_, Snapshots> {
        let snapshots = self.snapshots.lock();
        snapshots.unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the streams after the entries that they have not taken yet.
    pub(super) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        self.changed.send_replace(());
    }

    /// Whether the renderer has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.with_entries(|entries| entries.ring = Ring::default());
    }
}

/// A stream's end of a channel.
#[derive(Debug)]
pub(super) struct Reader {
    channel: Arc<Channel>,
    place: Place,
    changed: watch::Receiver<()>,
}

impl Reader {
    /// Starts reading the entries after the last rendered change. Also returns the number of that
    /// change.
    pub(super) fn join(channel: &Arc<Channel>) -> (Self, u64) {
        let changed = channel.changed.subscribe();
        let (place, rendered) =
            channel.with_entries(|entries| (entries.ring.join(), entries.rendered));
        let reader = Self {
            channel: Arc::clone(channel),
            place,
            changed,
        };
        (reader, rendered)
    }

    /// Takes the next entry.
    pub(super) fn take(&mut self) -> Taken<Entry> {
        self.channel
            .with_entries(|entries| entries.ring.take(&mut self.place))
    }

    /// If the next entry was dropped, continues after the last rendered change, and returns the
    /// number of that change.
    pub(super) fn rejoin_if_dropped(&mut self) -> Option<u64> {
        self.channel.with_entries(|entries| {
            if !entries.ring.has_dropped(&self.place) {
                return None;
            }
            entries.ring.leave(&self.place);
            self.place = entries.ring.join();
            Some(entries.rendered)
        })
    }

    /// Waits until the channel has changed since the last call.
    pub(super) async fn changed(&mut self) {
        // This fails only if the sender was dropped, but `self.channel` owns the sender.
        let _ = self.changed.changed().await;
    }

    /// Returns a receiver that is notified of each change of the channel from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.channel.changed.subscribe()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.channel
            .with_entries(|entries| entries.ring.leave(&self.place));
    }
}
