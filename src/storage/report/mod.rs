//! Stores the day's work: who was logged in and paused when, and every call.
//!
//! Knows rows, not queues: a row has a kind, two names and some numbers, and only
//! [`crate::report`] knows their meaning.
//!
//! - `report_rows` receives rows in batches. A row that lasts has no length until it ends.
//! - `packed_day` encodes all rows of a finished UTC day as one blob of about 7 bytes a row, which
//!   `report_days` stores. No row crosses a UTC midnight, so a day's rows are complete.
//! - `names` replaces each text with a number.
//! - `read` reads a range of days on a connection of its own, so that a long report delays no
//!   write.

mod entry;
mod handle;
mod maintenance;
mod names;
mod packed_day;
mod read;
mod rows;
#[cfg(test)]
mod tests;

pub use self::entry::{DAY_SECONDS, Entry, EntryKind};
pub use self::names::NameId;
pub use self::read::ReportReader;
pub use self::rows::{ReportBatch, ReportGap, ReportRow, StoredReport};

pub(super) use self::handle::ReportMemory;
pub(super) use self::maintenance::maintain;
pub(super) use self::names::Names;
pub(super) use self::read::load;
pub(super) use self::rows::write;

/// The tables of the day's work.
pub(super) const SCHEMA: &str = "
    CREATE TABLE report_names (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE report_pbxes (
        pbx INTEGER PRIMARY KEY,
        since INTEGER NOT NULL,
        sight INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE report_aliases (
        pbx INTEGER NOT NULL,
        interface INTEGER NOT NULL,
        alias TEXT NOT NULL,
        PRIMARY KEY (pbx, interface)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE report_gaps (
        id INTEGER PRIMARY KEY,
        pbx INTEGER NOT NULL,
        began INTEGER NOT NULL,
        ended INTEGER
    ) STRICT;
    CREATE TABLE report_rows (
        id INTEGER PRIMARY KEY,
        pbx INTEGER NOT NULL,
        day INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        era INTEGER NOT NULL,
        queue INTEGER NOT NULL,
        interface INTEGER NOT NULL,
        began INTEGER NOT NULL,
        seconds INTEGER,
        value INTEGER NOT NULL,
        elapsed INTEGER
    ) STRICT;
    CREATE INDEX report_rows_by_day ON report_rows (pbx, day);
    CREATE TABLE report_days (
        id INTEGER PRIMARY KEY,
        pbx INTEGER NOT NULL,
        day INTEGER NOT NULL,
        rows BLOB NOT NULL,
        UNIQUE (pbx, day)
    ) STRICT;";
