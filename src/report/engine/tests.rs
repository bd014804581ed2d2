mod calls;
mod pauses;

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::storage::DAY_SECONDS;
use crate::time_zone::NamedZone;

const QUEUES: u32 = 3;
const AGENTS: u32 = 2;

/// Names 1 to 3 are queues, 11 and 12 interfaces, 21 and 22 reasons.
fn selection(has_callers: bool) -> Selection {
    let mut selection = Selection {
        agents: vec![None; 30],
        queues: vec![None; 30],
        reasons: vec![0; 30],
        limits: vec![None, Some(100), None],
        has_callers,
    };
    for queue in 0..QUEUES {
        selection.queues[queue as usize + 1] = Some(queue);
    }
    for agent in 0..AGENTS {
        selection.agents[agent as usize + 11] = Some(agent);
    }
    selection.reasons[21] = 1;
    selection.reasons[22] = 2;
    selection
}

fn row(kind: EntryKind, agent: u32, queue: u32, began: i64, seconds: u32) -> Entry {
    Entry {
        era: 1,
        interface: agent + 11,
        kind,
        began,
        queue: queue + 1,
        seconds,
        value: 0,
        elapsed: None,
    }
}

/// Cuts rows at UTC midnights, as the recorder does.
fn cut(rows: &[Entry]) -> Vec<Entry> {
    let mut cut = Vec::new();
    for row in rows {
        let mut part = *row;
        while !matches!(
            part.kind,
            EntryKind::Call | EntryKind::Missed | EntryKind::Caller
        ) {
            let midnight = (part.began.div_euclid(DAY_SECONDS) + 1) * DAY_SECONDS;
            let Ok(rest @ 1..) = u32::try_from(part.ended() - midnight) else {
                break;
            };
            let first = part.seconds - rest;
            cut.push(Entry {
                seconds: first,
                ..part
            });
            part = Entry {
                began: midnight,
                seconds: rest,
                elapsed: Some(part.elapsed.unwrap_or(0) + first),
                ..part
            };
        }
        cut.push(part);
    }
    cut
}

fn compute(rows: &[Entry], days: &Days, keys: &[GroupKey]) -> FxHashMap<Group, Figures> {
    let selection = selection(true);
    let grouping = Grouping::new(keys.iter().copied());
    let mut engine = Engine::new(&selection, days, &grouping);
    let mut rows = cut(rows);
    rows.sort();
    for day in days.utc_days() {
        let own = rows
            .iter()
            .filter(|row| row.began.div_euclid(DAY_SECONDS) == day);
        engine.add_day(&own.copied().collect::<Vec<_>>());
    }
    engine.finish()
}

fn only(groups: FxHashMap<Group, Figures>) -> Figures {
    let mut groups: Vec<_> = groups.into_values().collect();
    assert_eq!(groups.len(), 1, "{groups:?}");
    groups.remove(0)
}

fn utc_days(from: Date, to: Date) -> Days {
    Days::new(from, to, &TimeZone::UTC).expect("days")
}

fn one_day() -> Days {
    utc_days(date(2026, 11, 29), date(2026, 11, 29))
}

#[test]
fn agent_in_several_queues_is_one_agent() {
    let days = one_day();
    let at = days.start();
    let mut rows = Vec::new();
    for queue in 0..QUEUES {
        let offset = i64::from(queue);
        rows.push(row(EntryKind::Login, 0, queue, at + offset, 1000));
        rows.push(Entry {
            value: 21,
            ..row(EntryKind::Pause, 0, queue, at + 100 + offset, 100)
        });
    }
    let agent = only(compute(&rows, &days, &[GroupKey::Agent]));
    assert_eq!(agent.logged_in_seconds, 1002);
    assert_eq!(agent.paused_seconds, 102);
    assert_eq!((agent.pauses(), agent.overdue_pauses()), (1, 0));
    let queues = compute(&rows, &days, &[GroupKey::Queue]);
    assert_eq!(queues.len(), QUEUES as usize);
    for figures in queues.values() {
        assert_eq!(figures.logged_in_seconds, 1000);
        assert_eq!(figures.pauses(), 1);
    }
}

#[test]
fn pause_over_midnights_and_gaps_counts_once_where_it_began() {
    let days = utc_days(date(2026, 11, 28), date(2026, 11, 30));
    let midnight = days.start() + DAY_SECONDS;
    let pause = Entry {
        value: 21,
        ..row(EntryKind::Pause, 0, 0, midnight - 60, 50)
    };
    // The bridge was down for 30 s, and then saw the same pause, which lasted for two days.
    let after_gap = Entry {
        era: 2,
        began: midnight + 20,
        seconds: 100_000,
        elapsed: Some(80),
        ..pause
    };
    let groups = compute(&[pause, after_gap], &days, &[GroupKey::Day]);
    let day = |day| {
        &groups[&Group {
            day,
            ..Group::default()
        }]
    };
    assert_eq!((day(0).pauses(), day(0).overdue_pauses()), (1, 1));
    assert_eq!((day(1).pauses(), day(1).overdue_pauses()), (0, 0));
    let seconds = [0, 1, 2].map(|index| day(index).paused_seconds);
    assert_eq!(seconds, [50, DAY_SECONDS - 20, 100_020 - DAY_SECONDS]);
    // A pause that began before the report's days is not counted in them.
    let last = utc_days(date(2026, 11, 29), date(2026, 11, 30));
    let figures = only(compute(&[pause, after_gap], &last, &[GroupKey::Agent]));
    assert_eq!((figures.pauses(), figures.overdue_pauses()), (0, 0));
    assert_eq!(figures.paused_seconds, 100_000);
}

#[test]
fn one_day_has_the_figures_that_it_has_in_a_report_about_several_days() {
    let days = utc_days(date(2026, 11, 28), date(2026, 11, 29));
    let midnight = days.start() + DAY_SECONDS;
    let rows = [
        row(EntryKind::Login, 0, 0, midnight - 1000, 2000),
        // The limit of 100 s is reached after midnight.
        Entry {
            value: 21,
            ..row(EntryKind::Pause, 0, 1, midnight - 60, 200)
        },
        // Its wrap-up time ends after midnight.
        Entry {
            value: 15,
            ..row(EntryKind::Call, 0, 0, midnight - 5, 30)
        },
    ];
    let both = compute(&rows, &days, &[GroupKey::Day]);
    let expected = [(5, 1, 60), (10, 0, 140)];
    for (day, expected) in (0..).zip(expected) {
        let date = days.date(day as usize);
        let alone = only(compute(&rows, &utc_days(date, date), &[GroupKey::Agent]));
        let found = (
            alone.wrap_up_seconds,
            alone.overdue_pauses(),
            alone.paused_seconds,
        );
        assert_eq!(found, expected, "{date}");
        let group = Group {
            day,
            ..Group::default()
        };
        assert_eq!(both[&group], alone, "{date}");
    }
}

#[test]
fn pauses_with_different_reasons_overlap_in_time_but_count_apart() {
    let days = one_day();
    let at = days.start();
    let pause = |queue, began, seconds, value| Entry {
        value,
        ..row(EntryKind::Pause, 0, queue, at + began, seconds)
    };
    let rows = [
        pause(0, 0, 200, 21),
        pause(1, 100, 200, 22),
        pause(2, 500, 10, 0),
        pause(2, 510, 0, 0),
    ];
    let agent = only(compute(&rows, &days, &[GroupKey::Agent]));
    assert_eq!(agent.paused_seconds, 310);
    assert_eq!((agent.pauses(), agent.overdue_pauses()), (4, 1));
    let by_reason = compute(&rows, &days, &[GroupKey::Reason]);
    let seconds = |reason| {
        by_reason[&Group {
            reason,
            ..Group::default()
        }]
            .reasons[&reason]
            .seconds
    };
    assert_eq!([0, 1, 2].map(seconds), [10, 200, 200]);
}

#[test]
fn callers_count_by_outcome_and_only_in_rows_without_agents() {
    let days = one_day();
    let caller = |queue, wait, outcome: CallerOutcome| Entry {
        interface: 0,
        value: outcome.number(),
        ..row(EntryKind::Caller, 0, queue, days.start() + 5, wait)
    };
    let answered = |within_service_level| CallerOutcome::Answered {
        within_service_level,
    };
    let rows = [
        caller(0, 10, answered(true)),
        caller(0, 61, answered(false)),
        caller(0, 30, CallerOutcome::Abandoned),
        caller(0, 900, CallerOutcome::Left),
        caller(1, 7, answered(true)),
    ];
    let groups = compute(&rows, &days, &[GroupKey::Queue]);
    let callers = groups[&Group::default()].callers;
    assert_eq!(
        (callers.callers, callers.answered, callers.abandoned),
        (4, 2, 1)
    );
    assert_eq!(callers.average_wait_seconds(), 34);
    assert_eq!(callers.longest_wait_seconds, 61);
    assert_eq!(callers.answered_within_service_level, 1);
    assert_eq!(
        only(compute(&rows, &days, &[GroupKey::Day]))
            .callers
            .callers,
        5
    );
    assert!(compute(&rows, &days, &[GroupKey::Agent]).is_empty());
    assert!(compute(&rows, &days, &[GroupKey::Day, GroupKey::Reason]).is_empty());
}

/// Spans of one agent in the four days around the end of daylight saving.
fn spans() -> impl Strategy<Value = Vec<(u32, i64, u32, u32)>> {
    let span = (0..QUEUES, 0..340_000_i64, 0..50_000_u32, 0..3_u32);
    prop::collection::vec(span, 0..12)
}

proptest! {
    #[test]
    fn united_time_is_the_set_of_its_minutes_and_days_add_up(spans in spans()) {
        let zone = NamedZone::find("Europe/Berlin").expect("a zone").zone;
        let days = Days::new(date(2026, 10, 24), date(2026, 10, 27), &zone).expect("days");
        // Whole minutes, so that the reference below is small.
        let rows: Vec<Entry> = spans
            .iter()
            .map(|(queue, began, seconds, reason)| Entry {
                value: [0, 21, 22][*reason as usize],
                ..row(
                    EntryKind::Pause,
                    0,
                    *queue,
                    days.start() - 36_000 + began / 60 * 60,
                    seconds / 60 * 60,
                )
            })
            .collect();
        let mut minutes = BTreeSet::new();
        for row in &rows {
            let span = (row.began..row.ended()).step_by(60);
            minutes.extend(span.filter(|at| (days.start()..days.end()).contains(at)));
        }
        let expected = minutes.len() as i64 * 60;
        let agents = compute(&rows, &days, &[GroupKey::Agent]);
        let paused: i64 = agents.values().map(|figures| figures.paused_seconds).sum();
        prop_assert_eq!(paused, expected);
        prop_assert!(paused <= days.end() - days.start());

        let by_day = compute(&rows, &days, &[GroupKey::Day]);
        let sum: i64 = by_day.values().map(|figures| figures.paused_seconds).sum();
        prop_assert_eq!(sum, expected);
        let pauses = |groups: &FxHashMap<Group, Figures>| groups.values().map(Figures::pauses).sum::<u64>();
        let overdue = |groups: &FxHashMap<Group, Figures>| groups.values().map(Figures::overdue_pauses).sum::<u64>();
        prop_assert_eq!(pauses(&by_day), pauses(&agents));
        prop_assert_eq!(overdue(&by_day), overdue(&agents));
        for figures in by_day.values() {
            let reasons: i64 = figures.reasons.values().map(|reason| reason.seconds).sum();
            prop_assert!(figures.paused_seconds <= reasons);
        }
        let by_reason = compute(&rows, &days, &[GroupKey::Reason]);
        prop_assert_eq!(pauses(&by_reason), pauses(&agents));
    }
}
