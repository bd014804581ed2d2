//! The end of the wrap-up time after a call.

use super::selected::Selected;
use crate::storage::{DAY_SECONDS, EntryKind};

/// An agent's rows on a UTC day, in which the wrap-up times after its calls are looked up.
pub(super) struct WrapUps<'a> {
    logins: &'a [Selected],
    pauses: &'a [Selected],
    /// Sorted by their ends.
    calls: &'a [Selected],
    /// The lengths of the longest call and the longest pause, in seconds.
    longest_call: i64,
    longest_pause: i64,
}

impl<'a> WrapUps<'a> {
    /// `rows` are all of the agent's rows on that day, sorted by kind and beginning.
    pub(super) fn new(rows: &'a [Selected]) -> Self {
        let of_kind = |kind| {
            let start = rows.partition_point(|row| row.entry.kind < kind);
            let end = rows.partition_point(|row| row.entry.kind <= kind);
            &rows[start..end]
        };
        let longest = |rows: &[Selected]| {
            let seconds = rows.iter().map(|row| row.entry.seconds);
            seconds.max().map_or(0, i64::from)
        };
        let pauses = of_kind(EntryKind::Pause);
        let calls = of_kind(EntryKind::Call);
        Self {
            logins: of_kind(EntryKind::Login),
            longest_call: longest(calls),
            longest_pause: longest(pauses),
            pauses,
            calls,
        }
    }

    pub(super) fn calls(&self) -> &'a [Selected] {
        self.calls
    }

    /// Returns when the wrap-up time after a call ends. It ends early if the member is paused,
    /// leaves the queue or takes another call. It does not begin if the member has left or is in
    /// another call.
    pub(super) fn end(&self, index: usize) -> i64 {
        let call = &self.calls[index];
        let began = call.entry.began;
        let mut ended = began + i64::from(call.entry.value);
        let mut is_member = false;
        let logins = self.logins.iter().filter(|row| row.queue == call.queue);
        for login in logins.map(|row| &row.entry) {
            if (login.began..=login.ended()).contains(&began) {
                is_member = true;
                if !is_cut(login.ended()) {
                    ended = ended.min(login.ended());
                }
            }
        }
        if !is_member {
            return began;
        }
        let latest = ended;
        let first = began - self.longest_pause;
        let first = self.pauses.partition_point(|row| row.entry.began < first);
        let pauses = self.pauses[first..].iter();
        for pause in pauses.take_while(|row| row.entry.began < latest) {
            if pause.queue == call.queue && pause.entry.ended() > began {
                ended = ended.min(pause.entry.began.max(began));
            }
        }
        for next in &self.calls[index + 1..] {
            // This call and all later ones began after the wrap-up time.
            if next.entry.began - self.longest_call >= ended {
                break;
            }
            let next_began = next.entry.began - i64::from(next.entry.seconds);
            ended = ended.min(next_began.max(began));
        }
        ended
    }
}

/// Returns whether a time is a UTC midnight, at which rows are cut.
fn is_cut(time: i64) -> bool {
    time.rem_euclid(DAY_SECONDS) == 0
}
