//! Reads a range of days.

use std::collections::HashMap;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};

use super::entry::{Entry, EntryKind};
use super::names::NameId;
use super::packed_day;
use super::rows::{ReportGap, ReportRow, StoredReport};

/// Reads the day's work of one PBX, in one consistent state of the database.
#[derive(Debug)]
pub struct ReportReader<'a> {
    connection: &'a Connection,
    /// 0 if nothing is stored about the PBX.
    pbx: i64,
    /// When the bridge first saw the PBX; `None` if it never did.
    pub since: Option<i64>,
    /// When the bridge last saw the PBX.
    pub sight: i64,
    /// All names, by number.
    pub names: Vec<String>,
    /// The latest display names, by interface.
    pub aliases: HashMap<NameId, String>,
    /// The times in which the bridge could not see the PBX, in order.
    pub gaps: Vec<ReportGap>,
}

impl<'a> ReportReader<'a> {
    pub(super) fn new(connection: &'a Connection, pbx: &str) -> rusqlite::Result<Self> {
        let select = "SELECT id FROM report_names WHERE name = ?1";
        let pbx = connection.query_row(select, [pbx], |row| row.get(0));
        let pbx: i64 = pbx.optional()?.unwrap_or(0);
        let select = "SELECT since, sight FROM report_pbxes WHERE pbx = ?1";
        let seen = connection.query_row(select, [pbx], |row| Ok((row.get(0)?, row.get(1)?)));
        let seen: Option<(i64, i64)> = seen.optional()?;
        let mut names = vec![String::new()];
        let mut select = connection.prepare("SELECT id, name FROM report_names")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let id: NameId = row.get(0)?;
            let index = id as usize;
            if names.len() <= index {
                names.resize(index + 1, String::new());
            }
            names[index] = row.get(1)?;
        }
        let mut select =
            connection.prepare("SELECT interface, alias FROM report_aliases WHERE pbx = ?1")?;
        let aliases = select.query_map([pbx], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let select = "SELECT id, began, ended FROM report_gaps WHERE pbx = ?1 ORDER BY began";
        let mut select_gaps = connection.prepare(select)?;
        let gaps = select_gaps.query_map([pbx], gap_of)?;
        Ok(Self {
            connection,
            pbx,
            since: seen.map(|(since, _)| since),
            sight: seen.map_or(0, |(_, sight)| sight),
            names,
            aliases: aliases.collect::<Result<_, _>>()?,
            gaps: gaps.collect::<Result<_, _>>()?,
        })
    }

    /// Replaces `entries` with the rows that began on a UTC day, a number of days since 1970. Rows
    /// that last end at the last sight.
    ///
    /// # Errors
    /// Returns an error if the database can't be read.
    pub fn read_day(&self, day: i64, entries: &mut Vec<Entry>) -> rusqlite::Result<()> {
        entries.clear();
        decode_day(self.connection, self.pbx, day, entries)?;
        let select = "SELECT kind, era, queue, interface, began, seconds, value, elapsed \
                      FROM report_rows WHERE pbx = ?1 AND day = ?2";
        let mut select = self.connection.prepare(select)?;
        let rows = select.query_map([self.pbx, day], |row| entry_of(row, self.sight))?;
        for entry in rows {
            entries.extend(entry?);
        }
        Ok(())
    }
}

/// Appends the rows in a day's blob. A damaged blob is an error.
pub(super) fn decode_day(
    connection: &Connection,
    pbx: i64,
    day: i64,
    entries: &mut Vec<Entry>,
) -> rusqlite::Result<()> {
    let select = "SELECT rows FROM report_days WHERE pbx = ?1 AND day = ?2";
    let mut select = connection.prepare(select)?;
    let mut rows = select.query([pbx, day])?;
    let Some(row) = rows.next()? else {
        return Ok(());
    };
    let blob = row.get_ref(0)?.as_blob()?;
    packed_day::decode(blob, entries).ok_or_else(|| {
        let error = format!("the rows of the day {day} are damaged");
        rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, error.into())
    })
}

/// Converts a row. Returns `None` if a newer version has written it. `sight` is when a row ends
/// that has no end.
pub(super) fn entry_of(row: &Row<'_>, sight: i64) -> rusqlite::Result<Option<Entry>> {
    let Some(kind) = EntryKind::from_number(row.get(0)?) else {
        return Ok(None);
    };
    let began: i64 = row.get(4)?;
    let until_sight = || u32::try_from(sight - began).unwrap_or(0);
    let seconds: Option<u32> = row.get(5)?;
    Ok(Some(Entry {
        kind,
        era: row.get(1)?,
        queue: row.get(2)?,
        interface: row.get(3)?,
        began,
        seconds: seconds.unwrap_or_else(until_sight),
        value: row.get(6)?,
        elapsed: row.get(7)?,
    }))
}

/// Loads what a previous process has stored about a PBX.
pub(in crate::storage) fn load(
    connection: &Connection,
    pbx: &str,
) -> rusqlite::Result<StoredReport> {
    let reader = ReportReader::new(connection, pbx)?;
    let name = |id: NameId| reader.names.get(id as usize).cloned().unwrap_or_default();
    let select = "SELECT kind, era, queue, interface, began, seconds, value, elapsed, id \
                  FROM report_rows WHERE pbx = ?1 AND seconds IS NULL";
    let mut select = connection.prepare(select)?;
    let rows = select.query_map([reader.pbx], |row| {
        let id = row.get(8)?;
        let entry = entry_of(row, 0)?;
        Ok(entry.map(|entry| ReportRow {
            id,
            kind: entry.kind,
            era: entry.era,
            queue: name(entry.queue).into(),
            interface: name(entry.interface).into(),
            began: entry.began,
            seconds: None,
            reason: match entry.kind {
                EntryKind::Pause => name(entry.value).into(),
                _ => "".into(),
            },
            value: match entry.kind {
                EntryKind::Pause => 0,
                _ => entry.value,
            },
            elapsed: entry.elapsed,
        }))
    })?;
    let open_rows: Vec<Option<ReportRow>> = rows.collect::<Result<_, _>>()?;
    Ok(StoredReport {
        since: reader.since,
        sight: reader.since.map(|_| reader.sight),
        open_rows: open_rows.into_iter().flatten().collect(),
        open_gap: reader.gaps.iter().rfind(|gap| gap.ended.is_none()).copied(),
    })
}

fn gap_of(row: &Row<'_>) -> rusqlite::Result<ReportGap> {
    Ok(ReportGap {
        id: row.get(0)?,
        began: row.get(1)?,
        ended: row.get(2)?,
    })
}
