//! An Asterisk with realtime queues: besides its configuration files, it reads queues and
//! members from a database through `res_config_sqlite3`.
//!
//! Asterisk 16.28 and 22.10 treat realtime queues alike, as observed with `queue show`:
//! - Queue lookups ignore case in memory, but not in SQLite. A `QueueStatus` or
//!   `queue show` for `support` finds the loaded queue `Support`, but no database row with
//!   that name. Asterisk then drops the queue and its dynamic members from memory and
//!   returns an empty list. The next query with the correct spelling loads the queue again,
//!   with its realtime members only.
//! - With the wrong case, `QueueSummary`, `QueueAdd`, `QueuePause` and `QueuePenalty` also
//!   drop the queue, and fail with "No such queue", "Interface not found" or a similar text.
//!   `QueueRemove` looks only in memory: it fails but drops nothing.
//! - A query for all queues re-reads every queue and member from the database. A query for
//!   one queue re-reads only that queue. Asterisk sends no event for changes that it finds
//!   in the database.
//! - While the database is locked, a lookup fails after `busy_timeout`. Asterisk treats the
//!   queue as deleted, even if the query spelled its name correctly: lists omit the queue, a
//!   pause finds no interface, and the queue's dynamic members are lost permanently.
//! - Realtime members are `static` in lists, but `realtime` in events.
//! - Asterisk logs a warning whenever it reads a member without a value in `ringinuse`, so
//!   all members here have a value.
//! - A pause writes the column `paused`. If the database refuses the write, Asterisk still
//!   reports success, and shows the old value after it has read the column again.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::{Asterisk, sample_config};

const EXTCONFIG: &str = "[settings]\n\
     queues => sqlite3,queues,queues\n\
     queue_members => sqlite3,queues,queue_members\n";

/// A lookup in a locked database fails after 50 ms (`busy_timeout`).
const RES_CONFIG_SQLITE3: &str = "[general]\n\
     [queues]\n\
     dbfile => @INSTANCE@/queues.sqlite3\n\
     batch = 0\n\
     busy_timeout = 50\n\
     requirements = warn\n";

const SCHEMA: &str = "
    create table queues (
        name text primary key, strategy text, timeout integer, retry integer,
        servicelevel integer, maxlen integer, wrapuptime integer, weight integer,
        ringinuse text);
    create table queue_members (
        uniqueid integer primary key autoincrement, queue_name text, interface text,
        membername text, state_interface text, penalty integer, paused integer,
        wrapuptime integer, reason_paused text, ringinuse text);";

/// An Asterisk with realtime queues and a connection to its database.
pub(crate) struct Realtime {
    pub(crate) asterisk: Asterisk,
    database: Connection,
}

impl Realtime {
    /// Starts an Asterisk with the sample's `queues.conf` and an empty database.
    pub(crate) fn start(version: u32) -> Self {
        Self::start_with(version, &[], |_| {})
    }

    /// Starts an Asterisk in which `files` replace files of the sample configuration. `fill`
    /// inserts rows before Asterisk starts.
    pub(crate) fn start_with(
        version: u32,
        files: &[(&str, &str)],
        fill: impl FnOnce(&Connection),
    ) -> Self {
        // Asterisk must load the realtime driver before app_queue.
        let modules = sample_config("modules.conf") + "preload = res_config_sqlite3.so\n";
        let mut all_files = vec![
            ("modules.conf", modules.as_str()),
            ("extconfig.conf", EXTCONFIG),
            ("res_config_sqlite3.conf", RES_CONFIG_SQLITE3),
        ];
        all_files.extend(files);
        let mut database = None;
        let asterisk = Asterisk::start_prepared(version, &all_files, &[], |folder| {
            database = Some(create_database(folder.join("queues.sqlite3"), fill));
        });
        Self {
            asterisk,
            database: database.expect("a database, since `prepare` has run"),
        }
    }

    pub(crate) fn insert_queue(&self, name: &str) {
        insert_queue(&self.database, name);
    }

    /// Inserts a member. Its name may be any bytes.
    pub(crate) fn insert_member(&self, queue: &str, interface: &str, name: impl AsRef<[u8]>) {
        insert_member(&self.database, queue, interface, name.as_ref());
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.database.execute_batch(sql).expect("valid SQL");
    }

    /// Locks the database for Asterisk until the returned lock is dropped.
    pub(crate) fn lock(&self) -> DatabaseLock<'_> {
        self.execute("begin exclusive");
        DatabaseLock(self)
    }
}

/// A lock on the database. While it exists, Asterisk can neither read nor write rows.
pub(crate) struct DatabaseLock<'a>(&'a Realtime);

impl Drop for DatabaseLock<'_> {
    fn drop(&mut self) {
        let _ = self.0.database.execute_batch("commit");
    }
}

fn create_database(path: PathBuf, fill: impl FnOnce(&Connection)) -> Connection {
    let database = Connection::open(path).expect("a database");
    let timeout = Duration::from_secs(10);
    database.busy_timeout(timeout).expect("a database");
    database.execute_batch(SCHEMA).expect("tables");
    fill(&database);
    database
}

/// Inserts a queue. Used in the `fill` argument of [`Realtime::start_with`].
pub(crate) fn insert_queue(database: &Connection, name: &str) {
    let sql = "insert into queues (name, strategy, timeout, retry, ringinuse) \
               values (?, 'ringall', 15, 1, 'no')";
    database.execute(sql, [name]).expect("a queue's row");
}

/// Inserts a member. Used in the `fill` argument of [`Realtime::start_with`].
pub(crate) fn insert_member(database: &Connection, queue: &str, interface: &str, name: &[u8]) {
    // SQLite allows any bytes in a text value. A Rust `String` does not.
    let sql = "insert into queue_members \
               (queue_name, interface, membername, penalty, paused, ringinuse) \
               values (?, ?, cast(? as text), 0, 0, 'no')";
    let values = params![queue, interface, name];
    database.execute(sql, values).expect("a member's row");
}
