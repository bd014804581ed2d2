//! Derives the facts that Asterisk does not report from a member's previous state.

use super::model::{Member, MemberState};
use super::observed::Observed;

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
