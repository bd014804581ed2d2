//! The calls, breaks and shifts before the demo started, so that its reports have whole days.

use std::ops::Range;
use std::sync::Arc;

use fastrand::Rng;

use super::call_center::{ELAPSED_TIME, HEBREW_BREAK, SHORT_BREAK, interface};
use super::roster::AGENTS;
use crate::report::CallerOutcome;
use crate::storage::{DAY_SECONDS, EntryKind, ReportBatch, ReportRow};

/// The number of shifts of each agent. The last one continues in the demo.
const SHIFTS: i64 = 3;

/// The length of a shift, in seconds.
const SHIFT_SECONDS: Range<i64> = 6 * 3600..8 * 3600;

/// The length of a lunch, in seconds. The bridge ends it after half an hour.
const LUNCH_SECONDS: Range<i64> = 1_200..1_800;

/// The length of a short break, in seconds. Its limit is a minute.
const SHORT_BREAK_SECONDS: Range<i64> = 30..75;

/// The length of work in the back office, in seconds.
const BACK_OFFICE_SECONDS: Range<i64> = 600..1_800;

/// The wrap-up time and the service level of the queues, in seconds.
const WRAP_UP_SECONDS: u32 = 15;
const SERVICE_LEVEL_SECONDS: i64 = 20;

/// The agents' last shifts end this many seconds before they log in to the simulated PBX.
const LOGIN_SECONDS: i64 = 5;

/// Returns the day's work of the PBX until the demo's simulated time began. `now` is in Unix
/// seconds.
pub(super) fn past(pbx: &str, now: i64, seed: u64) -> [ReportBatch; 2] {
    let end = now - ELAPSED_TIME.as_secs().cast_signed() - LOGIN_SECONDS;
    let mut shifts = Shifts {
        random: Rng::with_seed(seed),
        rows: Vec::new(),
    };
    for (number, _, queues) in AGENTS {
        for days_ago in (0..SHIFTS).rev() {
            shifts.add(
                &interface(number).into(),
                queues,
                end - days_ago * DAY_SECONDS,
            );
        }
    }
    let batch = ReportBatch {
        pbx: pbx.to_owned(),
        ..ReportBatch::default()
    };
    let aliases = AGENTS.map(|(number, name, _)| (interface(number).into(), name.into()));
    // The first sight precedes all shifts, so that the days are complete.
    [
        ReportBatch {
            sight: Some(end - (SHIFTS + 1) * DAY_SECONDS),
            ..batch.clone()
        },
        ReportBatch {
            sight: Some(end),
            rows: shifts.rows,
            aliases: aliases.to_vec(),
            ..batch
        },
    ]
}

struct Shifts {
    random: Rng,
    rows: Vec<ReportRow>,
}

impl Shifts {
    /// Adds a shift of an agent, who takes calls and breaks in turn until `end`.
    fn add(&mut self, interface: &Arc<str>, queues: &[&str], end: i64) {
        let began = end - self.random.i64(SHIFT_SECONDS);
        for queue in queues {
            let row = self.row(EntryKind::Login, queue, interface);
            self.add_span(&row, began, end);
        }
        let mut breaks = self.breaks(queues, began, end).into_iter().peekable();
        let mut now = began + self.random.i64(10..120);
        while now < end - BACK_OFFICE_SECONDS.end {
            if let Some((_, reason, seconds)) = breaks.next_if(|(due, ..)| *due <= now) {
                for queue in queues {
                    let mut row = self.row(EntryKind::Pause, queue, interface);
                    row.reason = reason.into();
                    self.add_span(&row, now, now + seconds);
                }
                now += seconds;
            } else {
                let queue = self.random.choice(queues).copied().unwrap_or_default();
                now += self.add_call(queue, interface, now);
            }
        }
    }

    /// Returns the breaks of a shift: when each one is due, its reason and its length.
    fn breaks(&mut self, queues: &[&str], began: i64, end: i64) -> Vec<(i64, &'static str, i64)> {
        let short = match queues.contains(&"Hebrew") {
            true => HEBREW_BREAK,
            false => SHORT_BREAK,
        };
        let plan = [
            (short, SHORT_BREAK_SECONDS),
            ("Lunch", LUNCH_SECONDS),
            ("Back office", BACK_OFFICE_SECONDS),
            (short, SHORT_BREAK_SECONDS),
        ];
        let part = (end - began) / 5;
        let breaks = (1..).zip(plan).map(|(index, (reason, seconds))| {
            let due = began + index * part + self.random.i64(-600..600);
            (due, reason, self.random.i64(seconds))
        });
        breaks.collect()
    }

    /// Adds a call that rings at `now`. Returns after how many seconds the agent gets the next one.
    fn add_call(&mut self, queue: &str, interface: &Arc<str>, now: i64) -> i64 {
        let wait = self.random.i64(2..45);
        let talk = self.random.i64(60..420);
        let idle = self.random.i64(20..180);
        if self.random.u32(0..100) < 10 {
            let wait = self.random.i64(20..180);
            self.add_caller(queue, now, (wait, CallerOutcome::Abandoned));
        }
        if self.random.u32(0..100) < 3 {
            let missed = self.row(EntryKind::Missed, queue, interface);
            self.rows.push(ReportRow {
                began: now,
                ..missed
            });
            return idle;
        }
        let within_service_level = wait <= SERVICE_LEVEL_SECONDS;
        let outcome = CallerOutcome::Answered {
            within_service_level,
        };
        self.add_caller(queue, now, (wait, outcome));
        let call = self.row(EntryKind::Call, queue, interface);
        self.rows.push(ReportRow {
            began: now + talk,
            seconds: u32::try_from(talk).ok(),
            value: WRAP_UP_SECONDS,
            ..call
        });
        talk + i64::from(WRAP_UP_SECONDS) + idle
    }

    fn add_caller(&mut self, queue: &str, began: i64, (wait, outcome): (i64, CallerOutcome)) {
        let caller = self.row(EntryKind::Caller, queue, &"".into());
        self.rows.push(ReportRow {
            began,
            seconds: u32::try_from(wait).ok(),
            value: outcome.number(),
            ..caller
        });
    }

    /// Adds a row from `began` to `end`, cut at each UTC midnight.
    fn add_span(&mut self, row: &ReportRow, began: i64, end: i64) {
        let mut start = began;
        while start < end {
            let midnight = (start.div_euclid(DAY_SECONDS) + 1) * DAY_SECONDS;
            let stop = end.min(midnight);
            self.rows.push(ReportRow {
                id: self.random.i64(1..),
                began: start,
                seconds: u32::try_from(stop - start).ok(),
                elapsed: u32::try_from(start - began)
                    .ok()
                    .filter(|seconds| *seconds > 0),
                ..row.clone()
            });
            start = stop;
        }
    }

    fn row(&mut self, kind: EntryKind, queue: &str, interface: &Arc<str>) -> ReportRow {
        ReportRow {
            id: self.random.i64(1..),
            kind,
            era: 0,
            queue: queue.into(),
            interface: Arc::clone(interface),
            began: 0,
            seconds: Some(0),
            reason: "".into(),
            value: 0,
            elapsed: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-30 03:00 UTC, so that the shifts cross midnight.
    const NOW: i64 = 1_796_007_600;

    #[test]
    fn rows_end_before_the_demo_and_cross_no_midnight() {
        let [first, batch] = past("simulated", NOW, 1);
        assert!(batch.rows.len() > 5_000, "{}", batch.rows.len());
        let mut continued = 0;
        for row in &batch.rows {
            let seconds = i64::from(row.seconds.expect("a length"));
            let is_span = matches!(row.kind, EntryKind::Login | EntryKind::Pause);
            let began = if is_span {
                row.began
            } else {
                row.began - seconds
            };
            assert!(
                Some(began) > first.sight && began + seconds < NOW - 600,
                "{row:?}"
            );
            let last = row.began + if is_span { seconds - 1 } else { 0 };
            assert_eq!(
                last.div_euclid(DAY_SECONDS),
                row.began.div_euclid(DAY_SECONDS)
            );
            continued += u32::from(row.elapsed.is_some());
        }
        assert!(continued > 29, "{continued}");
    }

    #[test]
    fn every_agent_takes_calls_and_has_lunch_once_a_shift() {
        let [_, batch] = past("simulated", NOW, 1);
        for (number, _, queues) in AGENTS {
            let of_agent = |kind| {
                let interface = interface(number);
                let rows = batch.rows.iter();
                rows.filter(move |row| row.kind == kind && *row.interface == *interface)
            };
            assert!(of_agent(EntryKind::Call).count() > 100, "{number}");
            let lunches = of_agent(EntryKind::Pause)
                .filter(|row| &*row.reason == "Lunch" && row.elapsed.is_none());
            let expected = queues.len() * usize::try_from(SHIFTS).expect("a few");
            assert_eq!(lunches.count(), expected, "{number}");
        }
    }
}
