//! Packs finished days, and removes old ones.

use rusqlite::{Connection, OptionalExtension, params};

use super::entry::{DAY_SECONDS, Entry};
use super::names::Names;
use super::packed_day;
use super::read::{decode_day, entry_of};

/// How often unused names are removed, in days. That reads all stored days.
const NAMES_INTERVAL_DAYS: i64 = 30;

/// Packs one day that is over, or removes everything older than `keep_seconds`. Returns whether
/// there may be more to do. Does one day at a time, so that no other write waits long.
pub(in crate::storage) fn maintain(
    connection: &mut Connection,
    names: &mut Names,
    now: i64,
    keep_seconds: i64,
) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let today = now.div_euclid(DAY_SECONDS);
    // Rows of yesterday may still arrive.
    let oldest = "SELECT pbx, day FROM report_rows WHERE day < ?1 AND seconds IS NOT NULL LIMIT 1";
    let oldest = transaction
        .query_row(oldest, [today - 1], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((pbx, day)) = oldest {
        pack(&transaction, pbx, day)?;
    } else {
        remove_older_than(&transaction, now - keep_seconds)?;
        names.clear();
    }
    transaction.commit()?;
    Ok(oldest.is_some())
}

/// Moves a day's rows into its blob. Leaves rows that last.
fn pack(connection: &Connection, pbx: i64, day: i64) -> rusqlite::Result<()> {
    let mut entries: Vec<Entry> = Vec::new();
    decode_day(connection, pbx, day, &mut entries)?;
    let select = "SELECT kind, era, queue, interface, began, seconds, value, elapsed \
                  FROM report_rows WHERE pbx = ?1 AND day = ?2 AND seconds IS NOT NULL";
    let mut select = connection.prepare(select)?;
    let rows = select.query_map([pbx, day], |row| entry_of(row, 0))?;
    for entry in rows {
        entries.extend(entry?);
    }
    let bytes = packed_day::encode(&mut entries);
    let insert = "INSERT INTO report_days (pbx, day, rows) VALUES (?1, ?2, ?3) \
                  ON CONFLICT (pbx, day) DO UPDATE SET rows = excluded.rows";
    connection
        .prepare(insert)?
        .execute(params![pbx, day, bytes])?;
    let delete = "DELETE FROM report_rows WHERE pbx = ?1 AND day = ?2 AND seconds IS NOT NULL";
    connection.prepare(delete)?.execute([pbx, day])?;
    Ok(())
}

/// Removes what ended before `time`, and the names that nothing uses any more.
fn remove_older_than(connection: &Connection, time: i64) -> rusqlite::Result<()> {
    let day = time.div_euclid(DAY_SECONDS);
    let removed = connection.execute("DELETE FROM report_days WHERE day < ?1", [day])?;
    let since = (day * DAY_SECONDS).max(0);
    connection.execute(
        "UPDATE report_pbxes SET since = ?1 WHERE since < ?1",
        [since],
    )?;
    connection.execute("DELETE FROM report_gaps WHERE ended < ?1", [since])?;
    if removed > 0 && day % NAMES_INTERVAL_DAYS == 0 {
        remove_unused_names(connection)?;
    }
    Ok(())
}

/// Removes the names of queues, members and reasons that no stored row has.
fn remove_unused_names(connection: &Connection) -> rusqlite::Result<()> {
    let mut used: std::collections::HashSet<u32> = std::collections::HashSet::new();
    let mut select = connection.prepare("SELECT rows FROM report_days")?;
    let mut days = select.query([])?;
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(row) = days.next()? {
        entries.clear();
        let blob = row.get_ref(0)?.as_blob()?;
        // A damaged day keeps nothing alive.
        let _ = packed_day::decode(blob, &mut entries);
        for entry in &entries {
            used.extend([entry.queue, entry.interface]);
            if entry.kind == super::EntryKind::Pause {
                used.insert(entry.value);
            }
        }
    }
    let in_tables = "SELECT queue FROM report_rows UNION SELECT interface FROM report_rows \
                     UNION SELECT value FROM report_rows WHERE kind = 1 \
                     UNION SELECT pbx FROM report_pbxes UNION SELECT pbx FROM report_rows \
                     UNION SELECT pbx FROM report_gaps UNION SELECT pbx FROM report_days";
    let mut select = connection.prepare(in_tables)?;
    for id in select.query_map([], |row| row.get::<_, u32>(0))? {
        used.insert(id?);
    }
    let mut select = connection.prepare("SELECT id FROM report_names")?;
    let all: Vec<u32> = select
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in all.into_iter().filter(|id| !used.contains(id)) {
        connection.execute("DELETE FROM report_names WHERE id = ?1", [id])?;
        connection.execute("DELETE FROM report_aliases WHERE interface = ?1", [id])?;
    }
    Ok(())
}
