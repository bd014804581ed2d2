//! The pauses that requests have made with an end, and which of them stands.
//!
//! Before a pause is sent, it is added here and stored. Until the bridge knows its outcome, an
//! earlier timed pause of the same member stays beside it, and the pause that stands decides
//! which of them applies. A pause stands as long as Asterisk reports its time and its reason.
//! After a restart or reload, Asterisk reports the time of the restart for both the pause and
//! the login, and may drop the reason (seen with Asterisk 16 and 22).

use std::collections::HashMap;

use super::member_key::MemberKey;
use super::overlay::UnconfirmedChange;
use crate::queues::model::Member;
use crate::storage::StoredPause;

/// Asterisk may make a pause this long after the bridge has sent it, in milliseconds.
const MAX_REPLY_DELAY: i64 = 10_000;

/// Tolerance for comparing the bridge's clock with Asterisk's, in milliseconds. Asterisk reports
/// whole seconds.
const CLOCK_TOLERANCE: i64 = 2_000;

/// A pause with an unknown outcome that does not stand after this time, in milliseconds, was
/// never made.
const OUTCOME_TIMEOUT: i64 = 30_000;

/// A change to the stored pauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::queues::mirror) enum StorageChange {
    /// Sets Asterisk's time of the pause with this id.
    SetLastPause(u64, i64),
    /// Deletes the pause with this id.
    Delete(u64),
}

/// The outcome of sending a timed pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::queues::mirror) enum SentOutcome {
    /// Asterisk made the pause.
    Made,
    /// Asterisk refused the pause, or it was not sent.
    NotMade,
    /// Asterisk may or may not have made the pause.
    Unknown,
}

#[derive(Debug)]
struct TimedPause {
    stored: StoredPause,
    /// Whether a request is still sending the pause.
    in_flight: bool,
    /// Whether Asterisk is known to have made the pause.
    is_made: bool,
    /// Whether the event for the pause has arrived. The next pause event is another pause, even
    /// if it has the same reason and the same second.
    event_seen: bool,
}

impl TimedPause {
    fn can_stand(&self) -> bool {
        self.is_made || !self.in_flight
    }

    /// Returns whether the member's current pause is this one.
    fn is_pause_of(&self, member: &Member) -> bool {
        let reason = self.stored.reason.as_deref().unwrap_or_default();
        let has_reason = member.paused_reason.is_empty() || *member.paused_reason == *reason;
        member.paused && has_reason && (self.has_time_of(member) || self.is_restored_in(member))
    }

    fn has_time_of(&self, member: &Member) -> bool {
        match self.stored.last_pause {
            Some(noted) => member.last_pause.reported_seconds() == Some(noted),
            None => {
                let since_sent = member.last_pause.unix() * 1000 - self.stored.sent_at;
                (-CLOCK_TOLERANCE..=MAX_REPLY_DELAY).contains(&since_sent)
            }
        }
    }

    /// Returns whether Asterisk has restored the pause after a restart or reload.
    fn is_restored_in(&self, member: &Member) -> bool {
        let pause = member.last_pause.reported_seconds();
        let is_at_login = pause.is_some_and(|seconds| seconds > 0)
            && pause == member.login_time.reported_seconds();
        is_at_login && member.last_pause.unix() * 1000 >= self.stored.sent_at - CLOCK_TOLERANCE
    }
}

/// The timed pauses of all members, oldest first.
#[derive(Debug, Default)]
pub(super) struct TimedPauses {
    by_member: HashMap<MemberKey, Vec<TimedPause>>,
    storage_changes: Vec<StorageChange>,
}

impl TimedPauses {
    /// Adds a pause that is about to be sent.
    pub(super) fn begin(&mut self, stored: StoredPause) {
        self.add(stored, true);
    }

    /// Adds a pause that a previous process has stored.
    pub(super) fn adopt(&mut self, stored: StoredPause) {
        self.add(stored, false);
    }

    fn add(&mut self, stored: StoredPause, in_flight: bool) {
        let key = MemberKey::new(&stored.queue, &stored.interface);
        self.by_member.entry(key).or_default().push(TimedPause {
            is_made: stored.last_pause.is_some(),
            in_flight,
            event_seen: false,
            stored,
        });
    }

    /// Returns whether the member has a timed pause.
    pub(super) fn contains(&self, key: &MemberKey) -> bool {
        self.by_member.contains_key(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &MemberKey> {
        self.by_member.keys()
    }

    /// Records the outcome of sending a pause.
    pub(super) fn sent(&mut self, key: &MemberKey, id: u64, outcome: SentOutcome) {
        self.retain(key, |pause| {
            if pause.stored.id != id {
                return true;
            }
            pause.in_flight = false;
            pause.is_made |= outcome == SentOutcome::Made;
            pause.is_made || outcome == SentOutcome::Unknown
        });
    }

    /// Records that Asterisk has acknowledged a change of the bridge. It replaces all earlier
    /// pauses of the member.
    pub(super) fn change_acknowledged(&mut self, key: &MemberKey, change: &UnconfirmedChange) {
        let pauses = match change {
            UnconfirmedChange::Pause { paused, .. } => *paused,
            UnconfirmedChange::Add(_) => true,
            UnconfirmedChange::Remove => false,
        };
        self.retain(key, |pause| {
            pause.is_made |= pause.in_flight && pauses;
            pause.in_flight
        });
    }

    /// Records a pause event. `is_own` is true if it confirms a change of the bridge. A pause
    /// that someone else has made replaces the timed pause.
    pub(super) fn pause_event(&mut self, key: &MemberKey, member: &Member, is_own: bool) {
        self.retain(key, |pause| {
            let is_other = pause.is_made && pause.event_seen && !is_own;
            pause.event_seen |= pause.is_made && (is_own || pause.is_pause_of(member));
            !is_other || pause.in_flight
        });
    }

    /// Finds the timed pause that is the member's current pause, and returns its end. Forgets
    /// the pauses that no longer stand. `member` is the member as readers see it; `None` if it
    /// was removed. `now` is in Unix milliseconds.
    pub(super) fn update(
        &mut self,
        key: &MemberKey,
        member: Option<&Member>,
        now: i64,
    ) -> Option<i64> {
        let pauses = self.by_member.get_mut(key)?;
        let standing = member.and_then(|member| {
            let stands = |pause: &TimedPause| pause.can_stand() && pause.is_pause_of(member);
            pauses.iter().rposition(stands)
        });
        let mut end = None;
        let mut standing_id = None;
        if let (Some(index), Some(member)) = (standing, member) {
            let pause = &mut pauses[index];
            pause.is_made = true;
            end = pause.stored.ends_at;
            standing_id = Some(pause.stored.id);
            let reported = member.last_pause.reported_seconds();
            if reported.is_some() && pause.stored.last_pause != reported {
                pause.stored.last_pause = reported;
                let change = reported.map(|at| StorageChange::SetLastPause(pause.stored.id, at));
                self.storage_changes.extend(change);
            }
        }
        let mut is_after_standing = standing_id.is_none();
        self.retain(key, |pause| {
            let is_standing = Some(pause.stored.id) == standing_id;
            is_after_standing |= is_standing;
            let may_be_made = !pause.is_made && now < pause.stored.sent_at + OUTCOME_TIMEOUT;
            is_standing || pause.in_flight || (is_after_standing && may_be_made)
        });
        end
    }

    /// Returns the timed pause that was made and has the latest end.
    pub(super) fn standing(&self, key: &MemberKey) -> Option<&StoredPause> {
        let pauses = self.by_member.get(key)?;
        let made = pauses.iter().rev().find(|pause| pause.is_made)?;
        Some(&made.stored)
    }

    /// Returns the number of members with timed pauses.
    pub(super) fn count_members(&self) -> usize {
        self.by_member.len()
    }

    /// Takes the changes that must be stored.
    pub(super) fn take_storage_changes(&mut self) -> Vec<StorageChange> {
        std::mem::take(&mut self.storage_changes)
    }

    /// Removes the member's pauses for which `is_retained` returns false, also from the storage.
    fn retain(&mut self, key: &MemberKey, mut is_retained: impl FnMut(&mut TimedPause) -> bool) {
        let Some(pauses) = self.by_member.get_mut(key) else {
            return;
        };
        let changes = &mut self.storage_changes;
        pauses.retain_mut(|pause| {
            let is_retained = is_retained(pause);
            if !is_retained {
                changes.push(StorageChange::Delete(pause.stored.id));
            }
            is_retained
        });
        if pauses.is_empty() {
            self.by_member.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
