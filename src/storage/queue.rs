//! The requests that wait for the storage's thread.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{ReportBatch, StorageUnavailable, StoredPause, StoredReport, lock};

/// Maximum number of changes without a caller that waits for them. More are dropped: a row that
/// stays is deleted after the next start, because its pause no longer exists.
const MAX_CHANGES: usize = 65_536;

/// Maximum number of waiting inserts. More are refused.
const MAX_INSERTS: usize = 4096;

pub(super) type InsertReply = oneshot::Sender<Result<(), StorageUnavailable>>;

/// Pauses to insert, and the channel for the result.
#[derive(Debug)]
pub(super) struct Insert {
    pub(super) pauses: Vec<StoredPause>,
    pub(super) reply: InsertReply,
}

/// A read of the pauses of a PBX.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) pbx: String,
    pub(super) reply: oneshot::Sender<Vec<StoredPause>>,
}

/// A part of the day's work, and the channel for the result.
#[derive(Debug)]
pub(super) struct ReportWrite {
    pub(super) batch: ReportBatch,
    pub(super) reply: InsertReply,
}

/// A read of what a previous process has stored about the day's work on a PBX.
#[derive(Debug)]
pub(super) struct ReportLoad {
    pub(super) pbx: String,
    pub(super) reply: oneshot::Sender<StoredReport>,
}

/// Changes of stored pauses that no caller waits for.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) last_pauses: BTreeMap<u64, i64>,
    pub(super) deleted: BTreeSet<u64>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.last_pauses.is_empty() && self.deleted.is_empty()
    }

    fn set_last_pause(&mut self, id: u64, last_pause: i64) {
        if self.has_room() && !self.deleted.contains(&id) {
            self.last_pauses.insert(id, last_pause);
        }
    }

    fn delete(&mut self, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            self.last_pauses.remove(&id);
            if self.has_room() {
                self.deleted.insert(id);
            }
        }
    }

    /// Adds newer changes.
    pub(super) fn extend(&mut self, newer: Self) {
        for (id, last_pause) in newer.last_pauses {
            self.set_last_pause(id, last_pause);
        }
        self.delete(newer.deleted);
    }

    fn has_room(&self) -> bool {
        self.last_pauses.len() + self.deleted.len() < MAX_CHANGES
    }
}

/// The requests that wait.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) inserts: Vec<Insert>,
    pub(super) changes: Changes,
    pub(super) reads: Vec<Read>,
    pub(super) report_writes: Vec<ReportWrite>,
    pub(super) report_loads: Vec<ReportLoad>,
    /// No more work will come.
    pub(super) is_last: bool,
}

impl Work {
    fn is_empty(&self) -> bool {
        self.inserts.is_empty()
            && self.changes.is_empty()
            && self.reads.is_empty()
            && self.report_writes.is_empty()
            && self.report_loads.is_empty()
            && !self.is_last
    }
}

/// The queue between the callers and the thread. Its lock is never held during IO.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Work>,
    filled: Condvar,
    /// How long the day's work is stored, in seconds.
    keep_seconds: AtomicU64,
}

impl Queue {
    /// Queues an insert. Drops `reply` if the queue is closed.
    pub(super) fn insert(&self, pauses: Vec<StoredPause>, reply: InsertReply) {
        self.add(|work| {
            if work.inserts.len() < MAX_INSERTS {
                work.inserts.push(Insert { pauses, reply });
            } else {
                let reason = "too many pauses wait for the disk".to_owned();
                // The caller may have gone.
                let _ = reply.send(Err(StorageUnavailable { reason }));
            }
        });
    }

    pub(super) fn set_last_pause(&self, id: u64, last_pause: i64) {
        self.add(|work| work.changes.set_last_pause(id, last_pause));
    }

    pub(super) fn delete(&self, ids: Vec<u64>) {
        if !ids.is_empty() {
            self.add(|work| work.changes.delete(ids));
        }
    }

    pub(super) fn read(&self, pbx: String, reply: oneshot::Sender<Vec<StoredPause>>) {
        self.add(|work| work.reads.push(Read { pbx, reply }));
    }

    /// Queues a part of the day's work.
    pub(super) fn write_report(&self, batch: ReportBatch, reply: InsertReply) {
        self.add(|work| work.report_writes.push(ReportWrite { batch, reply }));
    }

    pub(super) fn load_report(&self, pbx: String, reply: oneshot::Sender<StoredReport>) {
        self.add(|work| work.report_loads.push(ReportLoad { pbx, reply }));
    }

    pub(super) fn set_keep(&self, keep: Duration) {
        self.keep_seconds.store(keep.as_secs(), Ordering::Relaxed);
    }

    /// Returns how long the day's work is stored, in seconds; `None` before it is set.
    pub(super) fn keep_seconds(&self) -> Option<i64> {
        let seconds = self.keep_seconds.load(Ordering::Relaxed);
        i64::try_from(seconds).ok().filter(|seconds| *seconds > 0)
    }

    /// Accepts no more requests. The thread ends after the queued ones.
    pub(super) fn close(&self) {
        self.add(|work| work.is_last = true);
    }

    fn add(&self, add: impl FnOnce(&mut Work)) {
        let mut work = lock(&self.waiting);
        if !work.is_last {
            add(&mut work);
            self.filled.notify_one();
        }
    }

    /// Waits until there is work, and takes all of it. If `limit` is given, waits no longer.
    pub(super) fn take(&self, limit: Option<Duration>) -> Work {
        let work = lock(&self.waiting);
        let mut work = match limit {
            None => self
                .filled
                .wait_while(work, |work| work.is_empty())
                .unwrap_or_else(PoisonError::into_inner),
            Some(limit) => {
                let waited = self
                    .filled
                    .wait_timeout_while(work, limit, |work| work.is_empty());
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        let is_last = work.is_last;
        let taken = std::mem::take(&mut *work);
        // The queue stays closed.
        work.is_last = is_last;
        taken
    }

    #[cfg(test)]
    pub(super) fn waiting_inserts(&self) -> usize {
        lock(&self.waiting).inserts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_without_room_are_dropped() {
        let mut changes = Changes::default();
        let ids = 0..MAX_CHANGES as u64;
        for id in ids.clone() {
            changes.set_last_pause(id, 1);
        }
        changes.set_last_pause(u64::MAX, 1);
        assert_eq!(changes.last_pauses.len(), MAX_CHANGES);
        // A deletion takes the room of the change that it replaces.
        changes.delete(ids);
        changes.delete([u64::MAX]);
        assert!(changes.last_pauses.is_empty());
        assert_eq!(changes.deleted.len(), MAX_CHANGES);
    }

    #[test]
    fn newer_changes_win() {
        let mut changes = Changes::default();
        changes.set_last_pause(1, 10);
        changes.set_last_pause(2, 20);
        let mut newer = Changes::default();
        newer.set_last_pause(1, 11);
        newer.delete([2]);
        newer.set_last_pause(2, 21);
        changes.extend(newer);
        assert_eq!(changes.last_pauses, BTreeMap::from([(1, 11)]));
        assert_eq!(changes.deleted, BTreeSet::from([2]));
    }

    #[test]
    fn inserts_without_room_are_refused() {
        let queue = Queue::default();
        let mut results = Vec::new();
        for _ in 0..=MAX_INSERTS {
            let (reply, result) = oneshot::channel();
            queue.insert(Vec::new(), reply);
            results.push(result);
        }
        let mut last = results.pop().expect("a result");
        let refused = last.try_recv().expect("an immediate result");
        refused.expect_err("refused");
        assert_eq!(queue.waiting_inserts(), MAX_INSERTS);
    }
}
