//! Measures a report over a year of 200 agents.
//!
//! Each agent is in 5 queues, pauses 4 times a day, and takes 31 calls. Run it with
//! `cargo bench --bench report`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the benchmark prints its results, and has nobody to report errors to"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use ami_bridge::report::{Days, Engine, GroupKey, Grouping, Selection};
use ami_bridge::storage::{DAY_SECONDS, EntryKind, ReportBatch, ReportReader, ReportRow, Storage};
use jiff::civil::date;
use jiff::tz::TimeZone;

const AGENTS: i64 = 200;
const QUEUES: i64 = 5;
const PAUSES: i64 = 4;
const CALLS: i64 = 31;
/// January 1, 2025.
const FIRST_DAY: i64 = 20_089;
const DAYS: i64 = 365;
const ROUNDS: usize = 5;

fn row(kind: EntryKind, interface: &str, queue: i64, began: i64, seconds: u32) -> ReportRow {
    let is_pause = kind == EntryKind::Pause;
    ReportRow {
        id: fastrand::i64(1..),
        kind,
        era: 1,
        queue: format!("acme-{queue}").into(),
        interface: interface.into(),
        began,
        seconds: Some(seconds),
        reason: if is_pause { "Lunch" } else { "" }.into(),
        value: match kind {
            EntryKind::Call => 15,
            EntryKind::Caller => 3,
            _ => 0,
        },
        elapsed: None,
    }
}

fn rows_of_day(day: i64) -> Vec<ReportRow> {
    let morning = day * DAY_SECONDS + 6 * 3600;
    let mut rows = Vec::new();
    for agent in 0..AGENTS {
        let interface: Arc<str> = format!("PJSIP/{agent}").into();
        let begin = morning + agent;
        for queue in 0..QUEUES {
            rows.push(row(EntryKind::Login, &interface, queue, begin, 28_800));
            for pause in 0..PAUSES {
                let began = begin + pause * 7000;
                rows.push(row(EntryKind::Pause, &interface, queue, began, 900));
            }
        }
        for call in 0..CALLS {
            let queue = call % QUEUES;
            let ended = begin + 600 + call * 900;
            rows.push(row(EntryKind::Call, &interface, queue, ended, 300));
            rows.push(row(EntryKind::Caller, "", queue, ended - 300, 14));
        }
    }
    rows
}

/// Stores a year. Returns the number of rows.
async fn store_year(storage: &Storage) -> usize {
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
    count
}

/// Computes a report over the year. Returns the number of its rows.
fn report(reader: &ReportReader<'_>, keys: &[GroupKey]) -> rusqlite::Result<usize> {
    let number = |name: &str, prefix| name.strip_prefix(prefix)?.parse().ok();
    let names = reader.names.iter();
    let selection = Selection {
        agents: names.clone().map(|name| number(name, "PJSIP/")).collect(),
        queues: names.clone().map(|name| number(name, "acme-")).collect(),
        reasons: names.map(|name| u32::from(name == "Lunch")).collect(),
        limits: vec![None, Some(2700)],
        has_callers: true,
    };
    let days = Days::new(date(2025, 1, 1), date(2025, 12, 31), &TimeZone::UTC).unwrap();
    let grouping = Grouping::new(keys.iter().copied());
    let mut engine = Engine::new(&selection, &days, &grouping);
    let mut entries = Vec::new();
    for day in days.utc_days() {
        reader.read_day(day, &mut entries)?;
        engine.add_day(&entries);
    }
    Ok(engine.finish().len())
}

/// Returns the processor time of this process, which other processes on the machine do not change
/// much.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The process's name may contain blanks.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split(' ').skip(12).take(2);
    let ticks: f64 = ticks.map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

#[tokio::main]
async fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        // `cargo test --all-targets` also runs this program, but without optimization.
        println!("Run it with: cargo bench --bench report");
        return;
    }
    // In memory, finished days are packed at once. On the disk, that takes a minute for each day.
    let storage = Storage::in_memory();
    storage.set_keep(Duration::from_secs(36_600 * DAY_SECONDS.unsigned_abs()));
    let begin = Instant::now();
    let count = store_year(&storage).await;
    let elapsed = begin.elapsed().as_secs_f64();
    println!("{count} rows of {AGENTS} agents in {DAYS} days, stored in {elapsed:.1} s");
    for keys in [
        vec![GroupKey::Agent],
        vec![GroupKey::Day, GroupKey::Agent],
        vec![GroupKey::Day, GroupKey::Queue, GroupKey::Agent],
        vec![GroupKey::Queue],
        vec![GroupKey::Reason],
    ] {
        let names: Vec<_> = keys.iter().map(|key| key.as_str()).collect();
        let mut seconds = Vec::new();
        let mut rows = 0;
        for _ in 0..ROUNDS {
            let keys = keys.clone();
            let begin = cpu_seconds();
            let read = storage.read_report("main", move |reader| report(reader, &keys));
            rows = read.await.unwrap();
            seconds.push(cpu_seconds() - begin);
        }
        seconds.sort_by(f64::total_cmp);
        let (best, median) = (seconds[0], seconds[ROUNDS / 2]);
        let names = names.join(",");
        println!("by {names}: {rows} rows, median {median:.2} s, best {best:.2} s");
    }
}
