//! The day's work in [`Storage`].

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::{Names, ReportBatch, ReportReader, SCHEMA, StoredReport, maintain, write};
use crate::storage::database::FILE_NAME;
use crate::storage::{Kind, Storage, StorageUnavailable};
use crate::wall_clock;

/// After this many rows, finished days of a storage in memory are packed.
const MAINTENANCE_ROWS: usize = 10_000;

/// The day's work of a storage in memory.
#[derive(Debug, Default)]
pub(in crate::storage) struct ReportMemory {
    database: Mutex<Option<(Connection, Names)>>,
    keep_seconds: AtomicI64,
    unmaintained_rows: AtomicUsize,
}

impl ReportMemory {
    pub(in crate::storage) fn set_keep(&self, keep: Duration) {
        let seconds = i64::try_from(keep.as_secs()).unwrap_or(i64::MAX);
        self.keep_seconds.store(seconds, Ordering::Relaxed);
    }

    fn write(&self, batch: &ReportBatch) -> rusqlite::Result<()> {
        let count = batch.rows.len();
        let unmaintained = self.unmaintained_rows.fetch_add(count, Ordering::Relaxed);
        let keep_seconds = self.keep_seconds.load(Ordering::Relaxed);
        let is_due = unmaintained + count > MAINTENANCE_ROWS && keep_seconds > 0;
        if is_due {
            self.unmaintained_rows.store(0, Ordering::Relaxed);
        }
        let now = wall_clock::unix_millis().div_euclid(1000);
        self.with(|connection, names| {
            let transaction = connection.transaction()?;
            write(&transaction, names, batch)?;
            transaction.commit()?;
            while is_due && maintain(connection, names, now, keep_seconds)? {}
            Ok(())
        })
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection, &mut Names) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut memory = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match memory.take() {
            Some(opened) => opened,
            None => {
                let connection = Connection::open_in_memory()?;
                connection.execute_batch(SCHEMA)?;
                (connection, Names::default())
            }
        };
        let (connection, names) = memory.insert(opened);
        work(connection, names)
    }
}

impl Storage {
    /// Stores a part of the day's work. Waits until it is on the disk.
    ///
    /// # Errors
    /// Returns [`StorageUnavailable`] if it can't be stored now. It is still stored as soon as
    /// the database works again.
    pub async fn write_report(&self, batch: ReportBatch) -> Result<(), StorageUnavailable> {
        let handle = match &*self.0 {
            Kind::Memory { .. } => {
                return self.with_memory(move |memory| memory.write(&batch)).await;
            }
            Kind::Directory(handle) => handle,
        };
        let (reply, result) = oneshot::channel();
        handle.queue.write_report(batch, reply);
        result.await.unwrap_or_else(|_closed| Err(closing()))
    }

    /// Loads what a previous process has stored about a PBX. Waits until the database can be read.
    /// Never returns if the storage is closed before.
    pub async fn load_report(&self, pbx: &str) -> StoredReport {
        let Kind::Directory(handle) = &*self.0 else {
            return StoredReport::default();
        };
        let (reply, stored) = oneshot::channel();
        handle.queue.load_report(pbx.to_owned(), reply);
        match stored.await {
            Ok(stored) => stored,
            Err(_closed) => std::future::pending().await,
        }
    }

    /// Reads the day's work of a PBX on a thread of its own, on a connection of its own.
    ///
    /// # Errors
    /// Returns [`StorageUnavailable`] if the database can't be read now.
    pub async fn read_report<T: Send + 'static>(
        &self,
        pbx: &str,
        read: impl FnOnce(&ReportReader<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StorageUnavailable> {
        let pbx = pbx.to_owned();
        let handle = match &*self.0 {
            Kind::Memory { .. } => {
                let read = self.with_memory(move |memory| {
                    memory.with(|connection, _| read(&ReportReader::new(connection, &pbx)?))
                });
                return read.await;
            }
            Kind::Directory(handle) => handle,
        };
        let path = handle.directory.join(FILE_NAME);
        let result = spawn_blocking(move || {
            let result = read_file(&path, |connection| {
                read(&ReportReader::new(connection, &pbx)?)
            });
            result.map_err(|error| format!("{}: {error}", path.display()))
        });
        match result.await {
            Ok(result) => result.map_err(|reason| StorageUnavailable { reason }),
            Err(_panicked) => Err(closing()),
        }
    }

    async fn with_memory<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReportMemory) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StorageUnavailable> {
        let storage = self.clone();
        let result = spawn_blocking(move || match &*storage.0 {
            Kind::Memory { report, .. } => work(report).map_err(|error| error.to_string()),
            Kind::Directory(_) => Err("the state is on the disk".to_owned()),
        });
        match result.await {
            Ok(result) => result.map_err(|reason| StorageUnavailable { reason }),
            Err(_panicked) => Err(closing()),
        }
    }
}

fn closing() -> StorageUnavailable {
    StorageUnavailable {
        reason: "the bridge is shutting down".to_owned(),
    }
}

fn read_file<T>(
    path: &PathBuf,
    read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(1))?;
    // All statements see the same state.
    let transaction = connection.transaction()?;
    read(&transaction)
}
