mod gaps;
mod midnights;

use std::time::Duration;

use super::*;
use crate::queues::{QueueName, WorkPause, WorkTime};
use crate::storage::{DAY_SECONDS, ReportRow};

/// Noon of a UTC day.
const NOON: i64 = 20_000 * DAY_SECONDS + 43_200;

fn at(seconds: i64) -> WorkTime {
    WorkTime {
        reported: seconds,
        unix: seconds,
    }
}

fn member(login: i64, pause: Option<(i64, &str)>) -> WorkMember {
    WorkMember {
        name: "Dana".into(),
        login: at(login),
        pause: pause.map(|(began, reason)| WorkPause {
            began: at(began),
            reason: reason.into(),
        }),
    }
}

fn recorder() -> Recorder {
    Recorder::new("main".to_owned(), StoredReport::default(), 1)
}

/// A recorder that sees the PBX from `NOON` on.
fn seeing() -> Recorder {
    let mut recorder = recorder();
    recorder.observe(WorkEvent::Seen { at: NOON });
    recorder
}

fn report(recorder: &mut Recorder, at: i64, member: Option<WorkMember>) {
    recorder.observe(WorkEvent::Member {
        at,
        queue: QueueName::for_test("6001"),
        interface: "PJSIP/1001".into(),
        member,
    });
}

fn clocks(uptime: i64, wall: i64) -> Clocks {
    Clocks {
        uptime: Duration::from_secs(uptime.cast_unsigned()),
        wall: Duration::from_secs(wall.cast_unsigned()),
    }
}

fn tick(recorder: &mut Recorder, uptime: i64, wall: i64) {
    recorder.record([], clocks(uptime, wall));
}

/// What is stored: the latest version of each row.
#[derive(Default)]
struct Stored {
    rows: Vec<ReportRow>,
    gaps: Vec<ReportGap>,
    sight: Option<i64>,
}

impl Stored {
    fn store(&mut self, recorder: &mut Recorder) {
        let batch = recorder.take_batch();
        for row in batch.rows {
            self.rows.retain(|stored| stored.id != row.id);
            self.rows.push(row);
        }
        for gap in batch.gaps {
            self.gaps.retain(|stored| stored.id != gap.id);
            self.gaps.push(gap);
        }
        self.sight = batch.sight.or(self.sight);
    }

    /// Returns the beginning after `NOON`, the seconds and the elapsed time of each row of a kind.
    fn spans(&self, kind: EntryKind) -> Vec<(i64, Option<u32>, Option<u32>)> {
        let rows = self.rows.iter().filter(|row| row.kind == kind);
        let mut spans: Vec<_> = rows
            .map(|row| (row.began - NOON, row.seconds, row.elapsed))
            .collect();
        spans.sort_unstable();
        spans
    }

    /// What the next process finds.
    fn report(&self) -> StoredReport {
        let open = self.rows.iter().filter(|row| row.seconds.is_none());
        StoredReport {
            since: self.sight,
            sight: self.sight,
            open_rows: open.cloned().collect(),
            open_gap: self.gaps.iter().find(|gap| gap.ended.is_none()).copied(),
        }
    }
}

fn stored(recorder: &mut Recorder) -> Stored {
    let mut stored = Stored::default();
    stored.store(recorder);
    stored
}

#[test]
fn pauses_begin_when_asterisk_says_and_end_when_the_event_arrives() {
    let mut recorder = seeing();
    report(&mut recorder, NOON + 10, Some(member(NOON + 9, None)));
    report(
        &mut recorder,
        NOON + 21,
        Some(member(NOON + 9, Some((NOON + 20, "Lunch")))),
    );
    // A pause with another reason replaces the pause.
    report(
        &mut recorder,
        NOON + 30,
        Some(member(NOON + 9, Some((NOON + 30, "Break")))),
    );
    report(&mut recorder, NOON + 45, Some(member(NOON + 9, None)));
    report(&mut recorder, NOON + 50, None);
    let stored = stored(&mut recorder);
    assert_eq!(stored.spans(EntryKind::Login), [(9, Some(41), None)]);
    assert_eq!(
        stored.spans(EntryKind::Pause),
        [(20, Some(10), None), (30, Some(15), None)]
    );
    assert!(stored.gaps.is_empty());
}

#[test]
fn display_name_is_stored_again_after_the_membership() {
    let mut recorder = seeing();
    for (member, count) in [
        (Some(member(NOON, None)), 1),
        (Some(member(NOON, Some((NOON + 1, "Lunch")))), 0),
        (None, 0),
        (Some(member(NOON + 9, None)), 1),
    ] {
        report(&mut recorder, NOON + 9, member);
        assert_eq!(recorder.take_batch().aliases.len(), count);
    }
}

#[test]
fn member_that_is_added_paused_may_get_its_reason_later() {
    let mut recorder = seeing();
    report(
        &mut recorder,
        NOON + 10,
        Some(member(NOON + 10, Some((NOON + 10, "")))),
    );
    // Asterisk 16 ignores the reason of an addition, so the bridge pauses the member again.
    report(
        &mut recorder,
        NOON + 11,
        Some(member(NOON + 10, Some((NOON + 11, "Lunch")))),
    );
    report(&mut recorder, NOON + 15, Some(member(NOON + 10, None)));
    let stored = stored(&mut recorder);
    assert_eq!(stored.spans(EntryKind::Pause), [(10, Some(5), None)]);
    assert!(stored.rows.iter().any(|row| *row.reason == *"Lunch"));
}

#[test]
fn pause_soon_after_the_login_does_not_get_the_next_pauses_reason() {
    let mut recorder = seeing();
    report(&mut recorder, NOON, Some(member(NOON, None)));
    for (seconds, reason) in [(1, ""), (3, "Then"), (5, "")] {
        let pause = Some((NOON + seconds, reason));
        report(&mut recorder, NOON + seconds, Some(member(NOON, pause)));
    }
    report(&mut recorder, NOON + 7, Some(member(NOON, None)));
    let stored = stored(&mut recorder);
    let rows = stored
        .rows
        .iter()
        .filter(|row| row.kind == EntryKind::Pause);
    let mut rows: Vec<_> = rows.map(|row| (row.began - NOON, &*row.reason)).collect();
    rows.sort_unstable();
    assert_eq!(rows, [(1, ""), (3, "Then"), (5, "")]);
}

#[test]
fn reload_of_asterisk_neither_begins_nor_ends_a_pause() {
    let mut recorder = seeing();
    report(
        &mut recorder,
        NOON + 10,
        Some(member(NOON - 100, Some((NOON + 5, "Lunch")))),
    );
    // A reload sets both times to that moment, and drops a static member's reason.
    report(
        &mut recorder,
        NOON + 60,
        Some(member(NOON + 60, Some((NOON + 60, "")))),
    );
    report(&mut recorder, NOON + 90, Some(member(NOON + 60, None)));
    let stored = stored(&mut recorder);
    assert_eq!(stored.spans(EntryKind::Login), [(-100, None, None)]);
    assert_eq!(stored.spans(EntryKind::Pause), [(5, Some(85), None)]);
    assert!(
        stored
            .rows
            .iter()
            .all(|row| row.kind != EntryKind::Pause || *row.reason == *"Lunch")
    );
}

#[test]
fn set_clock_moves_no_second() {
    for step in [3600, -3600] {
        let mut recorder = seeing();
        tick(&mut recorder, 1000, NOON);
        report(
            &mut recorder,
            NOON,
            Some(member(NOON, Some((NOON, "Lunch")))),
        );
        tick(&mut recorder, 1002, NOON + 2);
        // A second later, the clock was set.
        tick(&mut recorder, 1003, NOON + 3 + step);
        // The pause ends ten seconds after its beginning.
        report(&mut recorder, NOON + 10 + step, Some(member(NOON, None)));
        let stored = stored(&mut recorder);
        let mut expected = vec![(0, Some(3), None), (3 + step, Some(7), Some(3))];
        expected.sort_unstable();
        assert_eq!(stored.spans(EntryKind::Pause), expected);
        assert!(stored.gaps.is_empty());
    }
}

#[test]
fn events_around_a_set_clock_are_dated_by_the_clock_that_they_have_seen() {
    for step in [3600, -3600] {
        let mut recorder = seeing();
        tick(&mut recorder, 1000, NOON);
        let event = |at, login, pause| WorkEvent::Member {
            at,
            queue: QueueName::for_test("6001"),
            interface: "PJSIP/1001".into(),
            member: Some(member(login, pause)),
        };
        // The clock is set between the first two events and the third, which still has the
        // beginning of its pause by the earlier clock.
        let events = [
            event(NOON + 1, NOON + 1, None),
            event(NOON + 2, NOON + 1, Some((NOON + 2, "Lunch"))),
            event(NOON + 3 + step, NOON + 1, Some((NOON + 3, "Break"))),
        ];
        recorder.record(events, clocks(1004, NOON + 4 + step));
        let end = event(NOON + 9 + step, NOON + 1, None);
        recorder.record([end], clocks(1010, NOON + 10 + step));
        let pauses = stored(&mut recorder).spans(EntryKind::Pause);
        let sum: u32 = pauses.iter().filter_map(|(_, seconds, _)| *seconds).sum();
        // Both pauses last from 2 to 9, and the cut may take a second of one of them.
        assert!((6..=8).contains(&sum), "{step}: {pauses:?}");
        assert!(pauses.iter().all(|(_, seconds, _)| seconds.is_some()));
    }
}

#[test]
fn standstill_is_a_gap() {
    let mut recorder = seeing();
    tick(&mut recorder, 1000, NOON);
    tick(&mut recorder, 1060, NOON + 60);
    let gaps = stored(&mut recorder).gaps;
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].began, gaps[0].ended), (NOON, Some(NOON + 60)));
}

#[test]
fn caller_is_one_row_in_either_order_of_the_events() {
    let unique_id = || "1.1".to_owned();
    let joined = WorkCall::Joined {
        unique_id: unique_id(),
    };
    let left = WorkCall::Left {
        unique_id: unique_id(),
    };
    let answered = WorkCall::Answered {
        unique_id: unique_id(),
        wait_seconds: 7,
        within_service_level: true,
    };
    let abandoned = WorkCall::Abandoned {
        unique_id: unique_id(),
        wait_seconds: 9,
    };
    for (calls, expected) in [
        (vec![&joined, &left, &answered], vec![(7, 3)]),
        (vec![&joined, &answered, &left], vec![(7, 3)]),
        (vec![&joined, &abandoned, &left], vec![(9, 2)]),
        (vec![&joined, &left], vec![(0, 0)]),
        (
            vec![&joined, &left, &joined, &left, &answered],
            vec![(0, 0), (7, 3)],
        ),
    ] {
        let mut recorder = seeing();
        for call in calls {
            recorder.observe(WorkEvent::Call {
                at: NOON + 5,
                queue: QueueName::for_test("6001"),
                call: call.clone(),
            });
        }
        let rows = stored(&mut recorder).rows;
        let callers: Vec<_> = rows
            .iter()
            .map(|row| (row.seconds.unwrap_or(99), row.value))
            .collect();
        assert_eq!(callers, expected);
    }
}
