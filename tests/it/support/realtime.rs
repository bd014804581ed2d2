//! An Asterisk whose queues and members stand in a database as well: realtime queues,
//! by `res_config_sqlite3`.
//!
//! What Asterisk 16.28 and 22.10 do with them, both alike, by `queue show`:
//! - A queue is found in memory without regard to case, in SQLite with it. A
//!   `QueueStatus` or `queue show` of `support` finds the loaded queue `Support`, finds
//!   no row of that name, and drops the queue from memory with its dynamic members; the
//!   answer is an empty list. The next question that spells it right loads the queue
//!   again, with its realtime members only.
//! - `QueueSummary`, `QueueAdd`, `QueuePause` and `QueuePenalty` do the same, and fail
//!   with "No such queue", "Interface not found" and the like. Only `QueueRemove` looks in
//!   memory alone: it fails and drops nothing.
//! - A question without a queue reads every queue and member anew, a question about one
//!   queue only that queue. No event announces what was found.
//! - While the database is locked a lookup fails after `busy_timeout`. Asterisk takes the
//!   queue for deleted: lists leave it out, a pause finds no interface, and its dynamic
//!   members are lost for good, even if the question spelled the name right.
//! - Lists show realtime members as `static`, events as `realtime`.
//! - Without a value in `ringinuse` each reading logs a warning, so members have one.
//! - A pause writes the column `paused`. If the database refuses, Asterisk still answers
//!   success, and shows the column's old value after its next reading.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::{Asterisk, sample_config};

const EXTCONFIG: &str = "[settings]\n\
     queues => sqlite3,queues,queues\n\
     queue_members => sqlite3,queues,queue_members\n";

/// A lookup in a locked database fails after 50 ms.
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

/// Ends with the test.
pub(crate) struct Realtime {
    pub(crate) asterisk: Asterisk,
    database: Connection,
}

impl Realtime {
    /// With the sample's queues in queues.conf and no rows in the database.
    pub(crate) fn start(version: u32) -> Self {
        Self::start_with(version, &[], |_| {})
    }

    /// With files that take the place of the sample's; `fill` inserts rows that Asterisk
    /// finds at its start.
    pub(crate) fn start_with(
        version: u32,
        files: &[(&str, &str)],
        fill: impl FnOnce(&Connection),
    ) -> Self {
        // Mappings have to be loaded before app_queue.
        let modules = sample_config("modules.conf") + "preload = res_config_sqlite3.so\n";
        let mut all = vec![
            ("modules.conf", modules.as_str()),
            ("extconfig.conf", EXTCONFIG),
            ("res_config_sqlite3.conf", RES_CONFIG_SQLITE3),
        ];
        all.extend(files);
        let mut database = None;
        let asterisk = Asterisk::start_prepared(version, &all, &[], |folder| {
            database = Some(create(folder.join("queues.sqlite3"), fill));
        });
        Self {
            asterisk,
            database: database.expect("prepared"),
        }
    }

    pub(crate) fn insert_queue(&self, name: &str) {
        insert_queue(&self.database, name);
    }

    /// Inserts a member whose name is these bytes, whatever they are.
    pub(crate) fn insert_member(&self, queue: &str, interface: &str, name: impl AsRef<[u8]>) {
        insert_member(&self.database, queue, interface, name.as_ref());
    }

    /// Executes statements; returns nothing.
    pub(crate) fn execute(&self, sql: &str) {
        self.database.execute_batch(sql).expect("statements");
    }

    /// Locks the database against readers and writers until the lock is dropped.
    pub(crate) fn lock(&self) -> DatabaseLock<'_> {
        self.execute("begin exclusive");
        DatabaseLock(self)
    }
}

/// While it lives, Asterisk can neither read nor write its database.
pub(crate) struct DatabaseLock<'a>(&'a Realtime);

impl Drop for DatabaseLock<'_> {
    fn drop(&mut self) {
        let _ = self.0.database.execute_batch("commit");
    }
}

fn create(path: PathBuf, fill: impl FnOnce(&Connection)) -> Connection {
    let database = Connection::open(path).expect("a database");
    let patience = Duration::from_secs(10);
    database.busy_timeout(patience).expect("a database");
    database.execute_batch(SCHEMA).expect("tables");
    fill(&database);
    database
}

/// For `fill` of [`Realtime::start_with`].
pub(crate) fn insert_queue(database: &Connection, name: &str) {
    let sql = "insert into queues (name, strategy, timeout, retry, ringinuse) \
               values (?, 'ringall', 15, 1, 'no')";
    database.execute(sql, [name]).expect("a queue's row");
}

/// For `fill` of [`Realtime::start_with`].
pub(crate) fn insert_member(database: &Connection, queue: &str, interface: &str, name: &[u8]) {
    // Text may hold any bytes in SQLite, but not in Rust.
    let sql = "insert into queue_members \
               (queue_name, interface, membername, penalty, paused, ringinuse) \
               values (?, ?, cast(? as text), 0, 0, 'no')";
    let values = params![queue, interface, name];
    database.execute(sql, values).expect("a member's row");
}
