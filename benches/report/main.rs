//! Measures a report over a year of 200 agents.
//!
//! Each agent is in 5 queues, pauses 4 times a day, and takes 31 calls. Run it with
//! `cargo bench --bench report`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Instant;

use ami_bridge::report::{Days, Engine, GroupKey, Grouping, Selection};
use ami_bridge::storage::{DAY_SECONDS, EntryKind, ReportBatch, ReportRow, Storage};
use jiff::civil::date;
use jiff::tz::TimeZone;

const AGENTS: i64 = 200;
const QUEUES: i64 = 5;
const PAUSES: i64 = 4;
const CALLS: i64 = 31;
const FIRST_DAY: i64 = 20_089;
const DAYS: i64 = 365;

fn rows_of_day(day: i64) -> Vec<ReportRow> {
    let morning = day * DAY_SECONDS + 6 * 3600;
    let none: Arc<str> = "".into();
    let lunch: Arc<str> = "Lunch".into();
    let queues: Vec<Arc<str>> = (0..QUEUES)
        .map(|queue| format!("acme-{queue}").into())
        .collect();
    let mut rows = Vec::new();
    for agent in 0..AGENTS {
        let interface: Arc<str> = format!("PJSIP/{agent}").into();
        let mut add = |kind, queue: i64, began, seconds, value| {
            rows.push(ReportRow {
                id: fastrand::i64(1..),
                kind,
                era: 1,
                queue: Arc::clone(&queues[queue as usize]),
                interface: if kind == EntryKind::Caller {
                    none.clone()
                } else {
                    interface.clone()
                },
                began,
                seconds: Some(seconds),
                reason: if kind == EntryKind::Pause {
                    lunch.clone()
                } else {
                    none.clone()
                },
                value,
                elapsed: None,
            });
        };
        for queue in 0..QUEUES {
            add(EntryKind::Login, queue, morning + agent, 28_800, 0);
            for pause in 0..PAUSES {
                add(
                    EntryKind::Pause,
                    queue,
                    morning + pause * 7000 + agent,
                    900,
                    0,
                );
            }
        }
        for call in 0..CALLS {
            let at = morning + 600 + call * 900 + agent;
            add(EntryKind::Call, call % QUEUES, at, 300, 15);
            add(EntryKind::Caller, call % QUEUES, at - 300, 14, 3);
        }
    }
    rows
}

#[tokio::main]
async fn main() {
    let storage = Storage::in_memory();
    storage.set_keep(std::time::Duration::from_secs(3660 * DAY_SECONDS as u64));
    let mut count = 0;
    for day in FIRST_DAY..FIRST_DAY + DAYS {
        let rows = rows_of_day(day);
        count += rows.len();
        let batch = ReportBatch {
            pbx: "main".to_owned(),
            sight: Some((day + 1) * DAY_SECONDS),
            rows,
            ..ReportBatch::default()
        };
        storage.write_report(batch).await.unwrap();
    }
    println!("{count} rows of {AGENTS} agents in {DAYS} days");
    for keys in [
        vec![GroupKey::Agent],
        vec![GroupKey::Day, GroupKey::Agent],
        vec![GroupKey::Queue],
    ] {
        let names = keys
            .iter()
            .map(|key| key.as_str())
            .collect::<Vec<_>>()
            .join(",");
        let start = Instant::now();
        let read = storage.read_report("main", move |reader| {
            let number = |name: &str, prefix| name.strip_prefix(prefix)?.parse().ok();
            let selection = Selection {
                agents: reader
                    .names
                    .iter()
                    .map(|name| number(name, "PJSIP/"))
                    .collect(),
                queues: reader
                    .names
                    .iter()
                    .map(|name| number(name, "acme-"))
                    .collect(),
                reasons: reader
                    .names
                    .iter()
                    .map(|name| u32::from(name == "Lunch"))
                    .collect(),
                limits: vec![None, Some(2700)],
                has_callers: true,
            };
            let days = Days::new(date(2025, 1, 1), date(2025, 12, 31), &TimeZone::UTC).unwrap();
            let grouping = Grouping::new(keys);
            let mut engine = Engine::new(&selection, &days, &grouping);
            let mut entries = Vec::new();
            for day in days.utc_days() {
                reader.read_day(day, &mut entries)?;
                engine.add_day(&entries);
            }
            Ok(engine.finish())
        });
        let groups = read.await.unwrap();
        println!(
            "by {names}: {} groups in {:.3} s",
            groups.len(),
            start.elapsed().as_secs_f64()
        );
    }
}
