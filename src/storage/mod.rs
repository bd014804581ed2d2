//! Stores the promised ends of pauses and the day's work on disk, so that they survive a restart.
//!
//! [`Storage`] is a handle to a thread that owns an SQLite database. Nothing here knows queues
//! or PBXes. Callers use the handle on tokio's threads; it never does IO there.
//!
//! - `queue` holds the requests that wait for the thread.
//! - `worker` is the thread. It commits all waiting requests in one transaction, so that many
//!   simultaneous inserts share one `fsync`.
//! - `database` is the file, its schema and its statements.
//! - `directory_lock` ensures that only one process uses the directory.
//! - `inspect` is for `ami-bridge check`.
//! - `report` has the tables of the day's work.
//! - `health` knows whether the database works, and logs when that changes.
//!
//! A full disk or a broken file makes the storage unavailable. The thread then tries to open
//! the database again every second. Until that succeeds, inserts fail immediately.

mod database;
mod database_error;
mod directory_lock;
mod health;
mod inspect;
mod pause;
mod queue;
mod report;
mod report_worker;
mod schema;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use self::directory_lock::DirectoryLock;
use self::health::Health;
pub use self::health::StorageStatus;
pub use self::inspect::{DirectoryState, inspect};
pub use self::pause::StoredPause;
use self::queue::Queue;
use self::report::ReportMemory;
pub use self::report::{
    DAY_SECONDS, Entry, EntryKind, NameId, ReportBatch, ReportGap, ReportReader, ReportRow,
    StoredReport,
};
use self::worker::Worker;

/// How long an insert waits for the disk. A disk that hangs must not use up the time limit of
/// the whole request.
const INSERT_TIMEOUT: Duration = Duration::from_secs(3);

/// The pause can't be stored now. It is not stored, not even later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the state can't be stored: {reason}")]
pub struct StorageUnavailable {
    /// The reason, for example `/var/lib/ami-bridge/state.db: database or disk is full`.
    pub reason: String,
}

/// Another process uses the directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("another ami-bridge process uses the state directory {}", directory.display())]
pub struct DirectoryInUse {
    /// The directory.
    pub directory: PathBuf,
}

/// A handle to the storage. Cheap to clone. When the last handle is dropped, the thread
/// executes the queued requests and ends.
#[derive(Debug, Clone)]
pub struct Storage(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    /// Nothing survives a restart.
    Memory {
        pauses: Mutex<BTreeMap<u64, StoredPause>>,
        report: ReportMemory,
    },
    Directory(Handle),
}

#[derive(Debug)]
struct Handle {
    directory: PathBuf,
    queue: Arc<Queue>,
    health: Arc<Health>,
    /// Closed when the thread has ended.
    ended: watch::Receiver<()>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Storage {
    /// Creates a storage in memory, without a thread and without a file.
    #[must_use]
    pub fn in_memory() -> Self {
        Self(Arc::new(Kind::Memory {
            pauses: Mutex::default(),
            report: ReportMemory::default(),
        }))
    }

    /// Sets how long the day's work is stored.
    pub fn set_keep(&self, keep: Duration) {
        match &*self.0 {
            Kind::Memory { report, .. } => report.set_keep(keep),
            Kind::Directory(handle) => handle.queue.set_keep(keep),
        }
    }

    /// Opens the storage in a directory, which is created if it is missing. Does not wait for
    /// the database: if it can't be opened, the storage is unavailable until it can.
    ///
    /// # Errors
    /// Returns [`DirectoryInUse`] if another process, or another `Storage` of this process,
    /// uses the directory.
    pub fn open(directory: &Path) -> Result<Self, DirectoryInUse> {
        let (storage, run) = Self::prepare(directory)?;
        let thread = std::thread::Builder::new().name("storage".to_owned());
        if let Err(error) = thread.spawn(run)
            && let Kind::Directory(handle) = &*storage.0
        {
            handle.health.fail(format!("can't start a thread: {error}"));
        }
        Ok(storage)
    }

    /// Locks the directory. Returns the handle, and the function for the thread to run.
    fn prepare(directory: &Path) -> Result<(Self, impl FnOnce() + Send + 'static), DirectoryInUse> {
        let lock = DirectoryLock::acquire(directory)?;
        let queue = Arc::new(Queue::default());
        let health = Arc::new(Health::default());
        let (alive, ended) = watch::channel(());
        let worker = Worker::new(directory, lock, Arc::clone(&queue), Arc::clone(&health));
        let run = move || {
            worker.run();
            drop(alive);
        };
        let handle = Handle {
            directory: directory.to_owned(),
            queue,
            health,
            ended,
        };
        Ok((Self(Arc::new(Kind::Directory(handle))), run))
    }

    /// Stores pauses, all or none. When this returns `Ok`, they survive a crash of the bridge
    /// and of the machine. If the caller drops the future, the pauses are removed again.
    ///
    /// # Errors
    /// Returns [`StorageUnavailable`] if the pauses are not stored. While the storage is known
    /// to be unavailable, returns immediately.
    pub async fn insert(&self, pauses: Vec<StoredPause>) -> Result<(), StorageUnavailable> {
        let handle = match &*self.0 {
            Kind::Memory { pauses: memory, .. } => {
                let pauses = pauses.into_iter().map(|pause| (pause.id, pause));
                lock(memory).extend(pauses);
                return Ok(());
            }
            Kind::Directory(handle) => handle,
        };
        if pauses.is_empty() {
            return Ok(());
        }
        self.check()?;
        let mut unconfirmed = UnconfirmedInsert {
            queue: &handle.queue,
            ids: pauses.iter().map(|pause| pause.id).collect(),
        };
        let (reply, result) = oneshot::channel();
        handle.queue.insert(pauses, reply);
        match timeout(INSERT_TIMEOUT, result).await {
            Ok(Ok(Ok(()))) => {
                unconfirmed.ids.clear();
                Ok(())
            }
            Ok(Ok(Err(error))) => Err(error),
            Ok(Err(_closed)) => Err(StorageUnavailable {
                reason: "the bridge is shutting down".to_owned(),
            }),
            Err(_elapsed) => {
                let reason = "the disk does not respond".to_owned();
                handle.health.fail(reason.clone());
                Err(StorageUnavailable { reason })
            }
        }
    }

    /// Stores Asterisk's `LastPause` of a stored pause. Returns immediately; the next
    /// transaction contains the change. If that fails, it is retried.
    pub fn set_last_pause(&self, id: u64, last_pause: i64) {
        match &*self.0 {
            Kind::Memory { pauses: memory, .. } => {
                if let Some(pause) = lock(memory).get_mut(&id) {
                    pause.last_pause = Some(last_pause);
                }
            }
            Kind::Directory(handle) => handle.queue.set_last_pause(id, last_pause),
        }
    }

    /// Deletes pauses. Returns immediately; the next transaction contains the change. If that
    /// fails, it is retried. Ignores unknown ids.
    pub fn delete(&self, ids: Vec<u64>) {
        match &*self.0 {
            Kind::Memory { pauses: memory, .. } => {
                let mut pauses = lock(memory);
                for id in ids {
                    pauses.remove(&id);
                }
            }
            Kind::Directory(handle) => handle.queue.delete(ids),
        }
    }

    /// Returns the stored pauses of a PBX. Waits until the database can be read. Never returns
    /// if the storage is closed before.
    pub async fn pauses(&self, pbx: &str) -> Vec<StoredPause> {
        let handle = match &*self.0 {
            Kind::Memory { pauses: memory, .. } => {
                let pauses = lock(memory);
                let pauses = pauses.values().filter(|pause| pause.pbx == pbx);
                return pauses.cloned().collect();
            }
            Kind::Directory(handle) => handle,
        };
        let (reply, pauses) = oneshot::channel();
        handle.queue.read(pbx.to_owned(), reply);
        match pauses.await {
            Ok(pauses) => pauses,
            // An empty list would claim that nothing is stored.
            Err(_closed) => std::future::pending().await,
        }
    }

    /// Returns whether the storage works.
    #[must_use]
    pub fn status(&self) -> StorageStatus {
        match &*self.0 {
            Kind::Memory { .. } => StorageStatus::Memory,
            Kind::Directory(handle) => handle.health.status(),
        }
    }

    /// Checks that the last attempt to use the database has not failed. Does no IO.
    ///
    /// # Errors
    /// Returns [`StorageUnavailable`] if it has.
    pub fn check(&self) -> Result<(), StorageUnavailable> {
        let Kind::Directory(handle) = &*self.0 else {
            return Ok(());
        };
        match handle.health.unavailable_reason() {
            Some(reason) => Err(StorageUnavailable { reason }),
            None => Ok(()),
        }
    }

    /// Returns a number that changes when the database's file was removed or replaced, so that it
    /// may not have what was stored before.
    #[must_use]
    pub fn database_number(&self) -> u64 {
        match &*self.0 {
            Kind::Memory { .. } => 0,
            Kind::Directory(handle) => handle.health.database_number(),
        }
    }

    /// Returns the number of failed attempts to open, read or write the database since startup.
    #[must_use]
    pub fn errors(&self) -> u64 {
        match &*self.0 {
            Kind::Memory { .. } => 0,
            Kind::Directory(handle) => handle.health.errors(),
        }
    }

    /// Executes the queued requests and ends the thread, which releases the directory. Waits for
    /// that, but not longer than `limit`. Returns false if the thread has not ended by then.
    pub async fn close(&self, limit: Duration) -> bool {
        let Kind::Directory(handle) = &*self.0 else {
            return true;
        };
        handle.queue.close();
        let mut ended = handle.ended.clone();
        // The channel never has a new value: it only closes.
        timeout(limit, ended.changed()).await.is_ok()
    }
}

/// Deletes pauses on drop whose insert was not confirmed: it may still be executed.
struct UnconfirmedInsert<'a> {
    queue: &'a Queue,
    ids: Vec<u64>,
}

impl Drop for UnconfirmedInsert<'_> {
    fn drop(&mut self) {
        self.queue.delete(std::mem::take(&mut self.ids));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
