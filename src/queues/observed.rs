//! Facts about a member that Asterisk does not report.

use std::sync::Arc;

use super::model::{Member, MemberState};
use super::name::QueueName;

/// Facts about a member that Asterisk does not report. Times are Unix milliseconds on the
/// bridge's clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// When the member's state began, without regard to wrap-up. `None` if the bridge did not
    /// see it begin, or if it began with the pause.
    pub state_since: Option<i64>,
    /// Since when the bridge has watched the member.
    pub watched_since: i64,
    /// The queue of the member's last call, or several queues if the bridge did not see which
    /// of them it was. `None` if the call was in the member's own queue.
    pub call_queues: Option<Arc<[QueueName]>>,
    /// The end that a request has given to the current pause.
    pub pause_end: Option<i64>,
}

impl Observed {
    /// Moves the times forward by `millis`, because the bridge's clock was set forward by that
    /// much. The promised end of a pause is a date, and stays.
    pub(super) fn shift_times(&mut self, millis: i64) {
        self.state_since = self.state_since.map(|since| since.saturating_add(millis));
        self.watched_since = self.watched_since.saturating_add(millis);
    }
}

impl Member {
    /// Returns the facts about this member that follow from its previous state. `now` is in Unix
    /// milliseconds. `is_watched` is false if the bridge may have missed changes since
    /// `previous`.
    pub(super) fn observed_after(
        &self,
        previous: Option<&Self>,
        now: i64,
        is_watched: bool,
    ) -> Observed {
        let Some(previous) = previous else {
            return Observed {
                state_since: is_watched.then_some(now),
                watched_since: now,
                ..Observed::default()
            };
        };
        let before = &previous.observed;
        let has_same_call = self.last_call == previous.last_call;
        Observed {
            state_since: self.state_since_after(previous, now, is_watched),
            watched_since: if is_watched {
                before.watched_since
            } else {
                now
            },
            call_queues: before.call_queues.clone().filter(|_| has_same_call),
            pause_end: None,
        }
    }

    fn state_since_after(&self, previous: &Self, now: i64, is_watched: bool) -> Option<i64> {
        let state = self.state_without_wrap_up();
        let begins_with_pause = state == MemberState::Paused
            && !(previous.paused && self.last_pause.is_equivalent(previous.last_pause));
        if begins_with_pause {
            None
        } else if state == previous.state_without_wrap_up() && is_watched {
            previous.observed.state_since
        } else {
            is_watched.then_some(now)
        }
    }
}
