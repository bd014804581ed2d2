//! A member of a queue: its login and its pause.

use std::sync::Arc;

use super::open_row::{MemberName, OpenRow, RowWriter};
use crate::queues::{WorkMember, WorkPause, WorkTime};
use crate::storage::{DAY_SECONDS, EntryKind, ReportRow};

/// A login that began earlier counts from this long before the bridge first saw it, in seconds.
const MAX_LOGIN_BEFORE: i64 = 32 * DAY_SECONDS;

/// Asterisk before 20.12, 21.7 and 22.2 ignores the reason of a member that is added paused. The
/// bridge then pauses the member again with the reason, within this time in seconds.
const MAX_REASON_DELAY: i64 = 2;

/// A member that the bridge sees.
#[derive(Debug)]
pub(super) struct Membership {
    login: OpenRow,
    pause: Option<OpenPause>,
}

#[derive(Debug)]
struct OpenPause {
    row: OpenRow,
    /// The time that Asterisk reports for the pause.
    reported: i64,
    /// Whether the member was already paused when the bridge first saw it.
    was_added_paused: bool,
}

/// A member as it was at the last sight before a gap. Its rows stay open until it is known what
/// became of them, so that nothing is forgotten if the process ends during the gap.
#[derive(Debug)]
pub(super) struct BeforeGap {
    last_sight: i64,
    login: Option<OpenRow>,
    pause: Option<OpenRow>,
    /// By how many seconds the clock was set forward since then.
    clock_step: i64,
}

impl BeforeGap {
    /// Creates a member that a previous process last saw at `last_sight`.
    pub(super) fn new(last_sight: i64) -> Self {
        Self {
            last_sight,
            login: None,
            pause: None,
            clock_step: 0,
        }
    }

    /// Adds a row that a previous process has stored.
    pub(super) fn add_stored(&mut self, row: &ReportRow) {
        let restored = Some(OpenRow::restore(row));
        match row.kind {
            EntryKind::Pause => self.pause = restored,
            _ => self.login = restored,
        }
    }

    /// Moves the times forward by `seconds`, because the clock was set.
    pub(super) fn shift(&mut self, seconds: i64) {
        self.clock_step += seconds;
    }

    /// Ends the login and the pause at the last sight.
    pub(super) fn end(self, rows: &mut RowWriter, name: MemberName<'_>) {
        for row in [self.login, self.pause].into_iter().flatten() {
            row.end(rows, name, self.last_sight);
        }
    }

    /// Stores the login and the pause again.
    pub(super) fn write(&self, rows: &mut RowWriter, name: MemberName<'_>) {
        for row in [&self.login, &self.pause].into_iter().flatten() {
            row.write(rows, name, None);
        }
    }

    fn last_sight(&self) -> i64 {
        self.last_sight + self.clock_step
    }

    fn login_began(&self) -> Option<i64> {
        let login = self.login.as_ref()?;
        Some(login.whole_began() + self.clock_step)
    }

    fn pause(&self) -> Option<(i64, Arc<str>)> {
        let pause = self.pause.as_ref()?;
        let began = pause.whole_began() + self.clock_step;
        Some((began, Arc::clone(pause.reason())))
    }
}

impl Membership {
    /// Begins to follow a member that was seen at `at`. `gap` is the same member at the last
    /// sight before a gap. `last_sight` is the beginning of the gap, if there is one.
    pub(super) fn begin(
        rows: &mut RowWriter,
        name: MemberName<'_>,
        member: &WorkMember,
        gap: Option<BeforeGap>,
        last_sight: Option<i64>,
        at: i64,
    ) -> Self {
        let before = gap.as_ref();
        let last_sight = before.map(BeforeGap::last_sight).or(last_sight);
        let earliest = last_sight.unwrap_or(i64::MIN).max(at - MAX_LOGIN_BEFORE);
        // The clock may have been set back while the bridge did not run.
        let earliest = earliest.min(at);
        let logged_in_at = known_time(member.login, at);
        let whole_began = before.and_then(BeforeGap::login_began);
        let login = match logged_in_at {
            // The member was logged in during the whole gap.
            Some(time) if time <= earliest => (earliest, whole_began),
            Some(time) => (time, None),
            None => (at, None),
        };
        let kind = (EntryKind::Login, "".into());
        let mut membership = Self {
            login: OpenRow::begin(rows, name, kind, login, at),
            pause: None,
        };
        if let Some(pause) = &member.pause {
            let is_restored = is_restored(pause, member);
            let earliest = earliest.max(membership.login_began());
            let before = before.and_then(BeforeGap::pause);
            let before = before.as_ref();
            let (began, whole) = pause_after_gap(pause, before, is_restored, earliest, at);
            let reason = match before {
                Some((_, reason)) if whole.is_some() => Arc::clone(reason),
                _ => Arc::clone(&pause.reason),
            };
            membership.begin_pause(rows, name, (pause, reason), (began, whole), at);
            if let Some(open) = &mut membership.pause {
                open.was_added_paused = began - membership.login.began() <= MAX_REASON_DELAY;
            }
        }
        if let Some(before) = gap {
            before.end(rows, name);
        }
        membership
    }

    /// Applies what Asterisk has reported about the member.
    pub(super) fn update(
        &mut self,
        rows: &mut RowWriter,
        name: MemberName<'_>,
        member: &WorkMember,
        at: i64,
    ) {
        let Some(pause) = &member.pause else {
            if let Some(open) = self.pause.take() {
                open.row.end(rows, name, at);
            }
            return;
        };
        let mut earliest = self.login.whole_began();
        if let Some(open) = &mut self.pause {
            let is_same_reason = *open.row.reason() == pause.reason;
            let is_same_time = open.reported == pause.began.reported;
            if (is_same_time && is_same_reason) || is_continued(open, pause, member) {
                open.reported = pause.began.reported;
                return;
            }
            let delay = pause.began.unix - open.row.began();
            if open.was_added_paused && open.row.reason().is_empty() && delay <= MAX_REASON_DELAY {
                open.reported = pause.began.reported;
                return open.row.set_reason(rows, name, &pause.reason);
            }
            earliest = open.row.began();
        }
        // Until the clock's offset is measured again, `LastPause` is a time of the earlier era.
        let earliest = earliest.max(rows.era_began());
        let began = known_time(pause.began, at).unwrap_or(at).max(earliest);
        if let Some(open) = self.pause.take() {
            open.row.end(rows, name, began);
        }
        let reason = Arc::clone(&pause.reason);
        self.begin_pause(rows, name, (pause, reason), (began, None), at);
    }

    /// Ends the login and the pause.
    pub(super) fn end(self, rows: &mut RowWriter, name: MemberName<'_>, at: i64) {
        if let Some(open) = self.pause {
            open.row.end(rows, name, at);
        }
        self.login.end(rows, name, at);
    }

    /// Keeps the member as it is, because a gap begins.
    pub(super) fn suspend(self, last_sight: i64) -> BeforeGap {
        BeforeGap {
            login: Some(self.login),
            pause: self.pause.map(|open| open.row),
            ..BeforeGap::new(last_sight)
        }
    }

    pub(super) fn cut_at_midnights(
        &mut self,
        rows: &mut RowWriter,
        name: MemberName<'_>,
        now: i64,
    ) {
        for row in self.open_rows() {
            row.cut_at_midnights(rows, name, now);
        }
    }

    pub(super) fn end_era(&mut self, rows: &mut RowWriter, name: MemberName<'_>, at: i64) {
        for row in self.open_rows() {
            row.end_era(rows, name, at);
        }
    }

    pub(super) fn begin_era(&mut self, rows: &mut RowWriter, name: MemberName<'_>, at: i64) {
        for row in self.open_rows() {
            row.begin_era(rows, name, at);
        }
    }

    /// Stores the login and the pause again.
    pub(super) fn write(&mut self, rows: &mut RowWriter, name: MemberName<'_>) {
        for row in self.open_rows() {
            row.write(rows, name, None);
        }
    }

    fn open_rows(&mut self) -> impl Iterator<Item = &mut OpenRow> {
        let pause = self.pause.as_mut().map(|pause| &mut pause.row);
        [&mut self.login].into_iter().chain(pause)
    }

    fn login_began(&self) -> i64 {
        self.login.whole_began()
    }

    fn begin_pause(
        &mut self,
        rows: &mut RowWriter,
        name: MemberName<'_>,
        (pause, reason): (&WorkPause, Arc<str>),
        times: (i64, Option<i64>),
        at: i64,
    ) {
        let kind = (EntryKind::Pause, reason);
        self.pause = Some(OpenPause {
            row: OpenRow::begin(rows, name, kind, times, at),
            reported: pause.began.reported,
            was_added_paused: false,
        });
    }
}

/// Returns when a pause began that was seen after a gap, and when the whole pause began if it is
/// the same one as before the gap. `earliest` is the last sight.
fn pause_after_gap(
    pause: &WorkPause,
    before: Option<&(i64, Arc<str>)>,
    is_restored: bool,
    earliest: i64,
    at: i64,
) -> (i64, Option<i64>) {
    let began = known_time(pause.began, at).unwrap_or(at);
    match before {
        Some((whole, reason)) => {
            let is_same_reason = *reason == pause.reason;
            // It has stood since before the gap, or Asterisk has restored it.
            let stood = began <= earliest && is_same_reason;
            let restored = is_restored && (is_same_reason || pause.reason.is_empty());
            let whole = (stood || restored).then_some(*whole);
            (began.max(earliest), whole)
        }
        None => (began.max(earliest), None),
    }
}

/// Returns whether Asterisk was restarted or reloaded, which sets both times to that moment.
fn is_restored(pause: &WorkPause, member: &WorkMember) -> bool {
    pause.began.reported != 0 && pause.began.reported == member.login.reported
}

/// Returns whether a pause with another time is the same pause, because Asterisk was reloaded. A
/// reload drops the reason of a static member.
fn is_continued(open: &OpenPause, pause: &WorkPause, member: &WorkMember) -> bool {
    let is_same_reason = *open.row.reason() == pause.reason || pause.reason.is_empty();
    is_restored(pause, member) && is_same_reason
}

/// Returns a time that Asterisk has reported, unless it has not or the time is in the future.
fn known_time(time: WorkTime, at: i64) -> Option<i64> {
    (time.reported != 0 && time.unix <= at).then_some(time.unix)
}
