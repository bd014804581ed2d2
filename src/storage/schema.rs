//! The schema and its versions. SQLite stores the version in the file (`PRAGMA user_version`).

use rusqlite::{Connection, TransactionBehavior};

use super::database_error::DatabaseError;
use super::report;

/// Migration `n` (from 0) upgrades version `n` to version `n + 1`. A released migration never
/// changes.
const MIGRATIONS: &[&str] = &[PAUSES, report::SCHEMA];

const PAUSES: &str = "CREATE TABLE pauses (
        id INTEGER PRIMARY KEY,
        pbx TEXT NOT NULL,
        organization TEXT NOT NULL,
        queue TEXT NOT NULL,
        interface TEXT NOT NULL,
        reason TEXT,
        sent_at INTEGER NOT NULL,
        ends_at INTEGER,
        last_pause INTEGER,
        user TEXT NOT NULL,
        request_id TEXT NOT NULL
    ) STRICT";

/// The current version.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Checks that the database is empty, or from this program and not from a newer version of it.
pub(super) fn check(connection: &Connection) -> Result<(), DatabaseError> {
    let found = version(connection)?;
    if found > VERSION {
        let supported = VERSION;
        return Err(DatabaseError::Newer { found, supported });
    }
    let count_tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(count_tables, [], |row| row.get(0))?;
    if found < 0 || (found == 0) != (tables == 0) {
        return Err(DatabaseError::OtherProgram);
    }
    Ok(())
}

/// Upgrades the database to the current version, each migration in one transaction. Writes the
/// version even if it is already current, so that an error shows whether the database can be
/// written.
pub(super) fn upgrade(connection: &mut Connection) -> Result<(), DatabaseError> {
    let found = version(connection)?;
    let immediate = TransactionBehavior::Immediate;
    for (version, migration) in (1_i64..).zip(MIGRATIONS) {
        if version > found {
            let transaction = connection.transaction_with_behavior(immediate)?;
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()?;
        }
    }
    Ok(connection.pragma_update(None, "user_version", VERSION)?)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}
