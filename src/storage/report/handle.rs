//! The day's work in [`Storage`].

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::{Names, ReportBatch, ReportReader, SCHEMA, StoredReport, maintain, write};
use crate::storage::database::FILE_NAME;
use crate::storage::{Kind, Storage, StorageUnavailable};

/// The day's work of a storage in memory.
#[derive(Debug, Default)]
pub(in crate::storage) struct ReportMemory(Mutex<Option<(Connection, Names)>>);

impl ReportMemory {
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection, &mut Names) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
                let written = self.with_memory(move |connection, names| {
                    let transaction = connection.transaction()?;
                    write(&transaction, names, &batch)?;
                    transaction.commit()
                });
                return written.await;
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
                let read = self.with_memory(move |connection, _| {
                    read(&ReportReader::new(connection, &pbx)?)
                });
                return read.await;
            }
            Kind::Directory(handle) => handle,
        };
        if let Some(reason) = handle.health.unavailable_reason() {
            return Err(StorageUnavailable { reason });
        }
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

    /// Packs finished days of a storage in memory, and removes old ones.
    pub async fn maintain_report_memory(&self, now: i64, keep_seconds: i64) {
        if !matches!(&*self.0, Kind::Memory { .. }) {
            return;
        }
        // Only a lack of memory could make this fail.
        let _ = self
            .with_memory(move |connection, names| maintain(connection, names, now, keep_seconds))
            .await;
    }

    async fn with_memory<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection, &mut Names) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StorageUnavailable> {
        let storage = self.clone();
        let result = spawn_blocking(move || match &*storage.0 {
            Kind::Memory { report, .. } => report.with(work).map_err(|error| error.to_string()),
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
    connection.busy_timeout(std::time::Duration::from_secs(1))?;
    // All statements see the same state.
    let transaction = connection.transaction()?;
    read(&transaction)
}
