//! The database: opening it, and its statements.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Row, Transaction, TransactionBehavior, params};

use super::database_error::DatabaseError;
use super::directory_lock::identity;
use super::queue::Changes;
use super::report::{self, Names};
use super::schema;
use super::{ReportBatch, StoredPause, StoredReport};

pub(super) const FILE_NAME: &str = "state.db";

/// How long a statement waits for a lock of another process, for example of `sqlite3`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// A reader in another process keeps SQLite from reusing the write-ahead log. Afterwards the
/// log shrinks to this size.
const LOG_SIZE_LIMIT: u32 = 8 * 1024 * 1024;

/// An open database of the current schema version.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
    identity: (u64, u64),
    is_new: bool,
    /// The numbers of the names in the day's work.
    names: Names,
}

impl Database {
    /// Opens the database in `directory`, creates it if it is missing, and upgrades its schema.
    /// Ensures that it can be read and written.
    ///
    /// # Errors
    /// Does not change a database that is damaged, from a newer version or from another program.
    pub(super) fn open(directory: &Path) -> Result<Self, DatabaseError> {
        let path = directory.join(FILE_NAME);
        let is_new = create_if_missing(directory, &path)?;
        let metadata = path.metadata()?;
        if !metadata.is_file() {
            return Err(DatabaseError::NotAFile);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Otherwise closing a refused database would write its log into it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        schema::check(&connection)?;
        check_integrity(&connection)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        configure(&connection)?;
        schema::upgrade(&mut connection)?;
        Ok(Self {
            connection,
            path,
            identity: identity(&metadata),
            is_new,
            names: Names::default(),
        })
    }

    /// Returns whether the file was missing when it was opened.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Returns whether the file is still at its path.
    pub(super) fn is_in_place(&self) -> bool {
        let metadata = self.path.metadata();
        metadata.is_ok_and(|metadata| identity(&metadata) == self.identity)
    }

    /// Closes a database whose file was removed, and returns its pauses. SQLite must not remove
    /// the write-ahead log: a new database may already use its name.
    pub(super) fn into_pauses(self) -> Vec<StoredPause> {
        let no_checkpoint = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        if self.connection.set_db_config(no_checkpoint, true).is_err() {
            return Vec::new();
        }
        self.select("", params![]).unwrap_or_default()
    }

    /// Executes the inserts, then the changes, in one transaction. When this returns, they are
    /// on the disk.
    pub(super) fn commit<'a>(
        &mut self,
        pauses: impl IntoIterator<Item = &'a StoredPause>,
        changes: &Changes,
    ) -> Result<(), DatabaseError> {
        let immediate = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(immediate)?;
        insert(&transaction, pauses)?;
        let mut update = transaction.prepare("UPDATE pauses SET last_pause = ?2 WHERE id = ?1")?;
        for (id, last_pause) in &changes.last_pauses {
            update.execute(params![id.cast_signed(), last_pause])?;
        }
        let mut delete = transaction.prepare("DELETE FROM pauses WHERE id = ?1")?;
        for id in &changes.deleted {
            delete.execute([id.cast_signed()])?;
        }
        drop((update, delete));
        Ok(transaction.commit()?)
    }

    /// Stores parts of the day's work, in one transaction.
    pub(super) fn write_reports<'a>(
        &mut self,
        batches: impl IntoIterator<Item = &'a ReportBatch>,
    ) -> Result<(), DatabaseError> {
        let immediate = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(immediate)?;
        for batch in batches {
            report::write(&transaction, &mut self.names, batch)?;
        }
        Ok(transaction.commit()?)
    }

    /// Packs a finished day of the day's work, or removes old days. Returns whether there may be
    /// more to do.
    pub(super) fn maintain_reports(
        &mut self,
        now: i64,
        keep_seconds: i64,
    ) -> Result<bool, DatabaseError> {
        let names = &mut self.names;
        Ok(report::maintain(
            &mut self.connection,
            names,
            now,
            keep_seconds,
        )?)
    }

    /// Loads what a previous process has stored about the day's work on a PBX.
    pub(super) fn load_report(&self, pbx: &str) -> Result<StoredReport, DatabaseError> {
        Ok(report::load(&self.connection, pbx)?)
    }

    /// Returns the pauses of a PBX.
    pub(super) fn pauses(&self, pbx: &str) -> Result<Vec<StoredPause>, DatabaseError> {
        Ok(self.select("WHERE pbx = ?1", params![pbx])?)
    }

    fn select(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> rusqlite::Result<Vec<StoredPause>> {
        let sql = format!(
            "SELECT id, pbx, organization, queue, interface, reason, \
             sent_at, ends_at, last_pause, user, request_id FROM pauses {condition}"
        );
        let mut select = self.connection.prepare(&sql)?;
        select.query_map(values, pause_of)?.collect()
    }
}

/// Returns whether the file was missing.
fn create_if_missing(directory: &Path, path: &Path) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        // The file's name must survive a crash of the machine, too.
        Ok(_) => File::open(directory)?.sync_all().map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            restrict_permissions(path).map(|()| false)
        }
        Err(error) => Err(error),
    }
}

/// Removes the permissions of others, for example of a restored backup. Only the file's owner
/// can; for others the file stays as it is.
fn restrict_permissions(path: &Path) -> io::Result<()> {
    let metadata = path.metadata()?;
    if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
        let _ = std::fs::set_permissions(path, Permissions::from_mode(0o600));
    }
    Ok(())
}

fn check_integrity(connection: &Connection) -> Result<(), DatabaseError> {
    let result: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match result.as_str() {
        "ok" => Ok(()),
        _ => Err(DatabaseError::Damaged(result)),
    }
}

fn configure(connection: &Connection) -> Result<(), DatabaseError> {
    let set_mode = "PRAGMA journal_mode = WAL";
    let mode: String = connection.query_row(set_mode, [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(DatabaseError::NoWriteAheadLog);
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_SIZE_LIMIT, |_| Ok(()))?;
    Ok(())
}

fn insert<'a>(
    transaction: &Transaction<'_>,
    pauses: impl IntoIterator<Item = &'a StoredPause>,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare(
        "INSERT OR REPLACE INTO pauses (id, pbx, organization, queue, interface, \
         reason, sent_at, ends_at, last_pause, user, request_id) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for pause in pauses {
        insert.execute(params![
            pause.id.cast_signed(),
            pause.pbx,
            pause.organization,
            pause.queue,
            pause.interface,
            pause.reason,
            pause.sent_at,
            pause.ends_at,
            pause.last_pause,
            pause.user,
            pause.request_id,
        ])?;
    }
    Ok(())
}

fn pause_of(row: &Row<'_>) -> rusqlite::Result<StoredPause> {
    Ok(StoredPause {
        id: row.get::<_, i64>(0)?.cast_unsigned(),
        pbx: row.get(1)?,
        organization: row.get(2)?,
        queue: row.get(3)?,
        interface: row.get(4)?,
        reason: row.get(5)?,
        sent_at: row.get(6)?,
        ends_at: row.get(7)?,
        last_pause: row.get(8)?,
        user: row.get(9)?,
        request_id: row.get(10)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::pause;
    use super::*;
    use tempfile::tempdir;

    #[test]
    fn every_commit_is_synced_to_the_disk() {
        let directory = tempdir().expect("a directory");
        let database = Database::open(directory.path()).expect("opened");
        let value = |name| {
            let sql = format!("PRAGMA {name}");
            let row = |row: &Row<'_>| row.get::<_, rusqlite::types::Value>(0);
            database.connection.query_row(&sql, [], row)
        };
        assert_eq!(value("journal_mode"), Ok("wal".to_owned().into()));
        const FULL: i64 = 2;
        assert_eq!(value("synchronous"), Ok(FULL.into()));
    }

    #[test]
    fn commit_without_room_changes_nothing() {
        let directory = tempdir().expect("a directory");
        let mut database = Database::open(directory.path()).expect("opened");
        let no_changes = Changes::default();
        database
            .commit([&pause(1)], &no_changes)
            .expect("committed");
        let limit = database
            .connection
            .query_row("PRAGMA max_page_count = 3", [], |_| Ok(()));
        limit.expect("set");
        let many: Vec<_> = (2..1000).map(pause).collect();
        let error = database.commit(&many, &no_changes).expect_err("no room");
        assert_eq!(error.to_string(), "database or disk is full");
        assert_eq!(database.pauses("main").expect("readable"), [pause(1)]);
        database
            .commit([&pause(2)], &no_changes)
            .expect("committed");
    }
}
