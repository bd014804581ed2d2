//! The storage's thread.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::warn;

use super::database::{Database, FILE_NAME};
use super::directory_lock::DirectoryLock;
use super::health::Health;
use super::queue::{Changes, Insert, InsertReply, Queue, Read, ReportLoad, Work};
use super::report_worker::PendingReports;
use super::{DirectoryInUse, StorageUnavailable, StoredPause};

/// How long to wait after an error before the database is opened again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Owns the database. The fields drop in this order: the directory is released when the
/// database is closed.
#[derive(Debug)]
pub(super) struct Worker {
    /// `None` after an error.
    database: Option<Database>,
    lock: DirectoryLock,
    directory: PathBuf,
    queue: Arc<Queue>,
    health: Arc<Health>,
    /// Changes that are not executed yet.
    changes: Changes,
    /// Reads that are not answered yet.
    reads: Vec<Read>,
    /// The day's work that is not stored yet.
    reports: PendingReports,
    report_loads: Vec<ReportLoad>,
    /// The pauses of a database whose file was removed.
    rescued: Vec<StoredPause>,
    /// Before this time, the database is not opened again.
    retry_at: Instant,
}

impl Worker {
    pub(super) fn new(
        directory: &Path,
        lock: DirectoryLock,
        queue: Arc<Queue>,
        health: Arc<Health>,
    ) -> Self {
        Self {
            database: None,
            lock,
            directory: directory.to_owned(),
            queue,
            health,
            changes: Changes::default(),
            reads: Vec::new(),
            reports: PendingReports::default(),
            report_loads: Vec::new(),
            rescued: Vec::new(),
            retry_at: Instant::now(),
        }
    }

    /// Runs until the queue is closed.
    pub(super) fn run(mut self) {
        loop {
            let work = self.queue.take(self.time_to_retry());
            let Work {
                inserts,
                changes,
                reads,
                report_writes,
                report_loads,
                is_last,
            } = work;
            self.changes.extend(changes);
            self.reads.extend(reads);
            self.reads.retain(|read| !read.reply.is_closed());
            self.report_loads.extend(report_loads);
            self.report_loads.retain(|load| !load.reply.is_closed());
            let replies = self.reports.add(report_writes);
            if is_last || self.time_to_retry().is_none_or(|time| time.is_zero()) {
                self.execute(inserts);
                self.execute_reports(replies);
            } else {
                self.refuse(inserts);
                let reason = self.health.unavailable_reason().unwrap_or_default();
                answer_all(replies, &Err(reason));
            }
            if is_last {
                return;
            }
        }
    }

    /// Returns how long to wait before the database is opened again; `None` if it is open.
    fn time_to_retry(&self) -> Option<Duration> {
        let now = Instant::now();
        let time = self.retry_at.saturating_duration_since(now);
        self.database.is_none().then_some(time)
    }

    /// Executes everything, in one transaction.
    fn execute(&mut self, mut inserts: Vec<Insert>) {
        // Their callers have gone.
        inserts.retain(|insert| !insert.reply.is_closed());
        let committed = self.open_if_needed().and_then(|()| self.commit(&inserts));
        if committed.is_ok() {
            self.health.recover();
        }
        answer(inserts, &committed);
        if let Err(reason) = committed.and_then(|()| self.answer_reads()) {
            self.fail(reason);
        }
    }

    /// Stores the day's work in a transaction of its own, so that no pause waits for it.
    fn execute_reports(&mut self, replies: Vec<InsertReply>) {
        let Some(database) = &mut self.database else {
            let reason = self.health.unavailable_reason().unwrap_or_default();
            return answer_all(replies, &Err(reason));
        };
        let stored = self.reports.store(database, self.queue.keep_seconds());
        let stored = stored.and_then(|()| {
            while let Some(load) = self.report_loads.pop() {
                // The caller may have gone.
                drop(load.reply.send(database.load_report(&load.pbx)?));
            }
            Ok(())
        });
        let stored = self.with_path(stored);
        answer_all(replies, &stored);
        if let Err(reason) = stored {
            self.fail(reason);
        }
    }

    /// Closes the database after an error.
    fn fail(&mut self, reason: String) {
        self.database = None;
        self.retry_at = Instant::now() + RETRY_DELAY;
        self.health.fail(reason);
    }

    /// Refuses inserts between two attempts to open the database.
    fn refuse(&self, inserts: Vec<Insert>) {
        let reason = self.health.unavailable_reason().unwrap_or_default();
        answer(inserts, &Err(reason));
    }

    fn open_if_needed(&mut self) -> Result<(), String> {
        self.lock.ensure().map_err(|error| match error {
            TryLockError::WouldBlock => {
                let directory = self.directory.clone();
                DirectoryInUse { directory }.to_string()
            }
            TryLockError::Error(error) => format!("{}: {error}", self.directory.display()),
        })?;
        if let Some(removed) = self.database.take_if(|database| !database.is_in_place()) {
            warn!(
                directory = %self.directory.display(),
                "the state's file was removed or replaced while the bridge is running"
            );
            self.health.count_database();
            let is_replaced = self.directory.join(FILE_NAME).exists();
            let pauses = removed.into_pauses();
            // A file that someone has put there is used as it is.
            self.rescued = if is_replaced { Vec::new() } else { pauses };
        }
        if self.database.is_none() {
            let database = self.with_path(Database::open(&self.directory))?;
            if database.is_new() {
                self.health.count_database();
            }
            self.database = Some(database);
        }
        Ok(())
    }

    fn commit(&mut self, inserts: &[Insert]) -> Result<(), String> {
        if inserts.is_empty() && self.changes.is_empty() && self.rescued.is_empty() {
            return Ok(());
        }
        let Some(database) = &mut self.database else {
            return Ok(());
        };
        let pauses = inserts.iter().flat_map(|insert| &insert.pauses);
        let committed = database.commit(self.rescued.iter().chain(pauses), &self.changes);
        self.with_path(committed)?;
        self.rescued.clear();
        self.changes = Changes::default();
        Ok(())
    }

    fn answer_reads(&mut self) -> Result<(), String> {
        while let (Some(read), Some(database)) = (self.reads.pop(), &self.database) {
            match database.pauses(&read.pbx) {
                // The caller may have gone.
                Ok(pauses) => drop(read.reply.send(pauses)),
                Err(error) => {
                    self.reads.push(read);
                    return self.with_path(Err(error));
                }
            }
        }
        Ok(())
    }

    fn with_path<T, E: std::fmt::Display>(&self, result: Result<T, E>) -> Result<T, String> {
        result.map_err(|error| format!("{}: {error}", self.directory.join(FILE_NAME).display()))
    }
}

fn answer(inserts: Vec<Insert>, result: &Result<(), String>) {
    let replies = inserts.into_iter().map(|insert| insert.reply);
    answer_all(replies.collect(), result);
}

fn answer_all(replies: Vec<InsertReply>, result: &Result<(), String>) {
    for reply in replies {
        let result = result.clone();
        let result = result.map_err(|reason| StorageUnavailable { reason });
        // The caller may have gone.
        let _ = reply.send(result);
    }
}
