use std::sync::Arc;

use rusqlite::Connection;
use tempfile::tempdir;

use super::names::Names;
use super::*;
use crate::storage::Storage;

const DAY: i64 = 20_000;
const NOON: i64 = DAY * DAY_SECONDS + 43_200;
const KEEP: i64 = 100 * DAY_SECONDS;

fn row(id: i64, began: i64, seconds: Option<u32>) -> ReportRow {
    ReportRow {
        id,
        kind: EntryKind::Pause,
        era: 1,
        queue: "acme-6001".into(),
        interface: "PJSIP/1001".into(),
        began,
        seconds,
        reason: "Lunch".into(),
        value: 0,
        elapsed: Some(3),
    }
}

fn batch(sight: i64, rows: Vec<ReportRow>) -> ReportBatch {
    ReportBatch {
        pbx: "main".to_owned(),
        sight: Some(sight),
        rows,
        gaps: Vec::new(),
        aliases: vec![("PJSIP/1001".into(), "Dana".into())],
        dropped: None,
    }
}

fn database() -> (Connection, Names) {
    let connection = Connection::open_in_memory().expect("opened");
    connection.execute_batch(SCHEMA).expect("created");
    (connection, Names::default())
}

fn read(connection: &Connection, day: i64) -> Vec<Entry> {
    let reader = ReportReader::new(connection, "main").expect("readable");
    let mut entries = Vec::new();
    reader.read_day(day, &mut entries).expect("readable");
    entries.sort_unstable();
    entries
}

#[test]
fn row_that_lasts_ends_at_the_last_sight() {
    let (connection, mut names) = database();
    let batch = batch(
        NOON + 50,
        vec![row(1, NOON, None), row(2, NOON + 1, Some(7))],
    );
    write(&connection, &mut names, &batch).expect("written");
    let seconds: Vec<u32> = read(&connection, DAY)
        .iter()
        .map(|entry| entry.seconds)
        .collect();
    assert_eq!(seconds, [50, 7]);
    let stored = load(&connection, "main").expect("readable");
    assert_eq!(stored.sight, Some(NOON + 50));
    assert_eq!(stored.open_rows, [row(1, NOON, None)]);
    assert_eq!(
        load(&connection, "other").expect("readable"),
        StoredReport::default()
    );
}

#[test]
fn rows_without_an_end_end_where_rows_were_dropped() {
    let (connection, mut names) = database();
    let rows = vec![
        row(1, NOON, None),
        row(2, NOON + 1, Some(2)),
        row(3, NOON + 60, None),
    ];
    let dropped = |id, began, ended| ReportGap {
        id,
        began: NOON + began,
        ended: Some(NOON + ended),
    };
    let mut waiting = ReportBatch {
        dropped: Some(dropped(1, 30, 40)),
        ..batch(NOON + 30, rows)
    };
    waiting.extend(ReportBatch {
        dropped: Some(dropped(2, 45, 50)),
        ..batch(NOON + 90, Vec::new())
    });
    write(&connection, &mut names, &waiting).expect("written");
    let entries = read(&connection, DAY);
    let seconds: Vec<u32> = entries.iter().map(|entry| entry.seconds).collect();
    assert_eq!(seconds, [30, 2, 30]);
    let reader = ReportReader::new(&connection, "main").expect("readable");
    assert_eq!(reader.gaps, [dropped(1, 30, 50)]);
    // The first row lasted longer, and is stored again at its end.
    let end = batch(NOON + 99, vec![row(1, NOON, Some(95))]);
    write(&connection, &mut names, &end).expect("written");
    assert_eq!(read(&connection, DAY)[0].seconds, 95);
}

#[test]
fn packed_days_read_like_rows_and_accept_late_rows() {
    let (mut connection, mut names) = database();
    let rows: Vec<ReportRow> = (0..50)
        .map(|id| row(id + 1, NOON + id, Some(id as u32)))
        .collect();
    write(&connection, &mut names, &batch(NOON, rows)).expect("written");
    let before = read(&connection, DAY);
    assert_eq!(before.len(), 50);
    let tomorrow = NOON + DAY_SECONDS;
    assert_eq!(
        maintain(&mut connection, &mut names, tomorrow, KEEP),
        Ok(false)
    );
    let later = tomorrow + DAY_SECONDS;
    assert_eq!(maintain(&mut connection, &mut names, later, KEEP), Ok(true));
    assert_eq!(read(&connection, DAY), before);
    let late = batch(
        NOON,
        vec![row(99, NOON + 999, Some(1)), row(100, NOON, None)],
    );
    write(&connection, &mut names, &late).expect("written");
    assert_eq!(maintain(&mut connection, &mut names, later, KEEP), Ok(true));
    // A row that lasts is not packed.
    assert_eq!(
        maintain(&mut connection, &mut names, later, KEEP),
        Ok(false)
    );
    assert_eq!(
        load(&connection, "main").expect("readable").open_rows.len(),
        1
    );
    assert_eq!(read(&connection, DAY).len(), 52);
}

#[test]
fn old_days_gaps_and_names_are_removed() {
    let (mut connection, mut names) = database();
    let gap = |id, began| ReportGap {
        id,
        began,
        ended: Some(began + 1),
    };
    let rows = vec![row(1, NOON, Some(1))];
    let old = ReportBatch {
        gaps: vec![gap(1, NOON)],
        ..batch(NOON, rows)
    };
    write(&connection, &mut names, &old).expect("written");
    // Names are removed on every 30th day.
    let now = NOON + KEEP + 10 * DAY_SECONDS;
    let new = ReportRow {
        interface: "PJSIP/1002".into(),
        ..row(2, now, Some(1))
    };
    let new = ReportBatch {
        gaps: vec![gap(2, now)],
        ..batch(now, vec![new])
    };
    write(&connection, &mut names, &new).expect("written");
    while maintain(&mut connection, &mut names, now, KEEP).expect("maintained") {}
    assert_eq!(read(&connection, DAY), []);
    assert_eq!(read(&connection, now.div_euclid(DAY_SECONDS)).len(), 1);
    let reader = ReportReader::new(&connection, "main").expect("readable");
    assert_eq!(
        reader.since,
        Some((now - KEEP).div_euclid(DAY_SECONDS) * DAY_SECONDS)
    );
    assert_eq!(reader.gaps, [gap(2, now)]);
    assert!(
        !reader.names.iter().any(|name| name == "PJSIP/1001"),
        "{:?}",
        reader.names
    );
    assert!(reader.names.iter().any(|name| name == "Lunch"));
}

#[tokio::test]
async fn report_is_read_from_the_disk_while_the_storage_is_open() {
    let directory = tempdir().expect("a directory");
    for storage in [
        Storage::in_memory(),
        Storage::open(directory.path()).expect("the directory is free"),
    ] {
        let stored = storage.load_report("main").await;
        assert_eq!(stored, StoredReport::default());
        let rows = vec![row(1, NOON, Some(5))];
        let written = storage.write_report(batch(NOON + 9, rows)).await;
        written.expect("stored");
        let read = storage.read_report("main", |reader| {
            let mut entries = Vec::new();
            reader.read_day(DAY, &mut entries)?;
            Ok((entries, reader.sight, reader.since))
        });
        let (entries, sight, since) = read.await.expect("readable");
        assert_eq!(entries.len(), 1);
        assert_eq!((sight, since), (NOON + 9, Some(NOON + 9)));
    }
}

/// 100 agents in 5 queues, with a login, 4 pauses and 31 calls a day, each of a caller.
fn rows_of_a_day(day: i64) -> Vec<ReportRow> {
    let mut rows = Vec::new();
    let morning = day * DAY_SECONDS + 6 * 3600;
    for agent in 0..100_i64 {
        let interface: Arc<str> = format!("PJSIP/acme-{}", 1000 + agent).into();
        let mut add = |kind, queue: i64, began, seconds, value| {
            let has_interface = kind != EntryKind::Caller;
            rows.push(ReportRow {
                id: fastrand::i64(1..),
                kind,
                era: 1,
                queue: format!("acme-{}", 6000 + queue).into(),
                interface: if has_interface {
                    interface.clone()
                } else {
                    "".into()
                },
                began,
                seconds: Some(seconds),
                reason: if kind == EntryKind::Pause {
                    "Lunch".into()
                } else {
                    "".into()
                },
                value,
                elapsed: None,
            });
        };
        for queue in 0..5 {
            add(EntryKind::Login, queue, morning + agent, 28_800, 0);
            for pause in 0..4 {
                add(
                    EntryKind::Pause,
                    queue,
                    morning + pause * 7000 + agent,
                    900,
                    0,
                );
            }
        }
        for call in 0..31 {
            let at = morning + call * 900 + agent * 7;
            add(EntryKind::Call, call % 5, at, 300, 15);
            add(EntryKind::Caller, call % 5, at - 300, 14, 3);
        }
    }
    rows
}

#[test]
fn day_of_100_agents_takes_at_most_80_kilobytes() {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join("state.db");
    let mut connection = Connection::open(&path).expect("opened");
    connection.execute_batch(SCHEMA).expect("created");
    let mut names = Names::default();
    let days = 20;
    for day in 0..days {
        let transaction = connection.transaction().expect("a transaction");
        let batch = batch(NOON, rows_of_a_day(DAY + day));
        write(&transaction, &mut names, &batch).expect("written");
        transaction.commit().expect("committed");
        let now = (DAY + day + 2) * DAY_SECONDS;
        while maintain(&mut connection, &mut names, now, KEEP).expect("maintained") {}
    }
    connection.execute_batch("VACUUM").expect("vacuumed");
    let size = path.metadata().expect("a file").len();
    let per_day = size / days.unsigned_abs();
    assert!((20_000..80_000).contains(&per_day), "{per_day} bytes a day");
}
