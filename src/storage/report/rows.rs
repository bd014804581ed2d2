//! Rows with names, and their writing.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::entry::{DAY_SECONDS, EntryKind};
use super::names::Names;

/// A row with names. A row with the same id replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// A number that no other row has.
    pub id: i64,
    /// The kind.
    pub kind: EntryKind,
    /// See [`super::Entry::era`].
    pub era: u32,
    /// The queue's name on the PBX.
    pub queue: Arc<str>,
    /// The member's interface, empty for a caller.
    pub interface: Arc<str>,
    /// When it began, in Unix seconds.
    pub began: i64,
    /// How long it lasted; `None` as long as it lasts.
    pub seconds: Option<u32>,
    /// A pause's reason, empty for none.
    pub reason: Arc<str>,
    /// Depends on the kind. Not used for pauses.
    pub value: u32,
    /// See [`super::Entry::elapsed`].
    pub elapsed: Option<u32>,
}

/// A time in which the bridge could not see the PBX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportGap {
    /// A number that no other gap has.
    pub id: i64,
    /// When it began, in Unix seconds.
    pub began: i64,
    /// When it ended; `None` as long as it lasts.
    pub ended: Option<i64>,
}

/// What to store about one PBX.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportBatch {
    /// The PBX's configured name.
    pub pbx: String,
    /// When the bridge last saw the PBX; `None` if it does not see it now.
    pub sight: Option<i64>,
    /// New and changed rows.
    pub rows: Vec<ReportRow>,
    /// New and changed gaps.
    pub gaps: Vec<ReportGap>,
    /// Display names, by interface.
    pub aliases: Vec<(Arc<str>, Arc<str>)>,
    /// The time of which rows were dropped. Rows that began before and have no end end there,
    /// because their end may be among the dropped rows.
    pub dropped: Option<ReportGap>,
}

impl ReportBatch {
    /// Adds a newer batch of the same PBX.
    pub(in crate::storage) fn extend(&mut self, newer: Self) {
        self.sight = newer.sight.or(self.sight);
        self.rows.extend(newer.rows);
        self.gaps.extend(newer.gaps);
        self.aliases.extend(newer.aliases);
        self.dropped = match (self.dropped, newer.dropped) {
            (Some(gap), Some(newer)) => Some(ReportGap {
                ended: newer.ended,
                ..gap
            }),
            (gap, newer) => gap.or(newer),
        };
    }
}

/// What a previous process has stored about a PBX.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredReport {
    /// When the bridge first saw the PBX; `None` if it never did.
    pub since: Option<i64>,
    /// When the bridge last saw the PBX.
    pub sight: Option<i64>,
    /// The rows that lasted when the process ended.
    pub open_rows: Vec<ReportRow>,
    /// The gap that lasted when the process ended.
    pub open_gap: Option<ReportGap>,
}

/// Writes a batch. The caller commits.
pub(in crate::storage) fn write(
    connection: &Connection,
    names: &mut Names,
    batch: &ReportBatch,
) -> rusqlite::Result<()> {
    let pbx = names.id(connection, &batch.pbx)?;
    if let Some(sight) = batch.sight {
        let insert = "INSERT INTO report_pbxes (pbx, since, sight) VALUES (?1, ?2, ?2) \
                      ON CONFLICT (pbx) DO UPDATE SET sight = excluded.sight";
        let mut insert = connection.prepare(insert)?;
        insert.execute([i64::from(pbx), sight])?;
    }
    let insert = "INSERT OR REPLACE INTO report_rows \
         (id, pbx, day, kind, era, queue, interface, began, seconds, value, elapsed) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let mut insert = connection.prepare(insert)?;
    for row in &batch.rows {
        let value = match row.kind {
            EntryKind::Pause => names.id(connection, &row.reason)?,
            _ => row.value,
        };
        insert.execute(params![
            row.id,
            pbx,
            row.began.div_euclid(DAY_SECONDS),
            row.kind as u8,
            row.era,
            names.id(connection, &row.queue)?,
            names.id(connection, &row.interface)?,
            row.began,
            row.seconds,
            value,
            row.elapsed,
        ])?;
    }
    if let Some(gap) = batch.dropped {
        let end = "UPDATE report_rows SET seconds = ?2 - began \
                   WHERE pbx = ?1 AND began <= ?2 AND seconds IS NULL";
        connection
            .prepare(end)?
            .execute([i64::from(pbx), gap.began])?;
    }
    let insert =
        "INSERT OR REPLACE INTO report_gaps (id, pbx, began, ended) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = connection.prepare(insert)?;
    for gap in batch.gaps.iter().chain(&batch.dropped) {
        insert.execute(params![gap.id, pbx, gap.began, gap.ended])?;
    }
    let insert =
        "INSERT OR REPLACE INTO report_aliases (pbx, interface, alias) VALUES (?1, ?2, ?3)";
    let mut insert = connection.prepare(insert)?;
    for (interface, alias) in &batch.aliases {
        let interface = names.id(connection, interface)?;
        insert.execute(params![pbx, interface, &**alias])?;
    }
    Ok(())
}
