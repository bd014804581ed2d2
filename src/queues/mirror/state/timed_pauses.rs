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
use super::restore_times::RestoreTimes;
use crate::ami::Restarts;
use crate::queues::model::Member;
use crate::storage::StoredPause;

/// Asterisk may make a pause this long after the bridge has stored it, in milliseconds.
const MAX_REPLY_DELAY: i64 = 10_000;

/// Tolerance for comparing the bridge's clock with Asterisk's, in milliseconds. Asterisk reports
/// whole seconds.
const CLOCK_TOLERANCE: i64 = 2_000;

/// After this time, in milliseconds, a pause is forgotten if it does not stand, even if its
/// event has not arrived.
const EVENT_TIMEOUT: i64 = 30_000;

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
    /// The latest possible time of the pause, in Unix milliseconds.
    latest: i64,
    /// Whether the bridge has watched the member since the pause, so that it would have seen
    /// the member's removal.
    is_watched: bool,
}

impl TimedPause {
    fn new(stored: StoredPause, in_flight: bool, latest: i64) -> Self {
        Self {
            is_made: stored.last_pause.is_some(),
            // The previous process has noted the time.
            event_seen: stored.last_pause.is_some(),
            is_watched: in_flight,
            in_flight,
            latest,
            stored,
        }
    }

    fn reason(&self) -> &str {
        self.stored.reason.as_deref().unwrap_or_default()
    }

    fn may_be_current(&self) -> bool {
        self.is_made || !self.in_flight
    }

    /// Returns whether the member's current pause is this one.
    fn is_pause_of(&self, member: &Member, restores: Option<&RestoreTimes>) -> bool {
        let has_reason = member.paused_reason.is_empty() || *member.paused_reason == *self.reason();
        let is_same = || self.has_time_of(member) || self.was_restored(member, restores);
        member.paused && has_reason && is_same()
    }

    fn has_time_of(&self, member: &Member) -> bool {
        match (self.stored.last_pause, member.last_pause.reported_seconds()) {
            (Some(noted), Some(reported)) => noted == reported,
            _ => {
                let paused_at = member.last_pause.unix().saturating_mul(1000);
                (self.stored.sent_at - CLOCK_TOLERANCE..=self.latest).contains(&paused_at)
            }
        }
    }

    /// Returns whether Asterisk has restored the pause after a restart or reload. A member that
    /// was removed and added again looks the same, but only its own time has changed.
    fn was_restored(&self, member: &Member, restores: Option<&RestoreTimes>) -> bool {
        let pause = member.last_pause.reported_seconds();
        let is_at_login = pause.is_some_and(|seconds| seconds > 0)
            && pause == member.login_time.reported_seconds();
        let paused_at = member.last_pause.unix();
        let may_be_restore = self.is_watched || restores.is_none_or(|it| it.contain(paused_at));
        let is_later = paused_at.saturating_mul(1000) >= self.stored.sent_at - CLOCK_TOLERANCE;
        is_at_login && is_later && may_be_restore
    }

    /// Notes Asterisk's time of the pause. Returns the change to store, if any. While the
    /// request is still sending, the bridge may send the pause once more to set its reason.
    fn note_time(&mut self, member: &Member) -> Option<StorageChange> {
        let reported = member.last_pause.reported_seconds()?;
        if self.in_flight || self.stored.last_pause == Some(reported) {
            return None;
        }
        self.stored.last_pause = Some(reported);
        Some(StorageChange::SetLastPause(self.stored.id, reported))
    }
}

/// The timed pauses of all members, oldest first.
#[derive(Debug, Default)]
pub(super) struct TimedPauses {
    by_member: HashMap<MemberKey, Vec<TimedPause>>,
    storage_changes: Vec<StorageChange>,
    /// `None` if Asterisk does not report when it was started.
    restores: Option<RestoreTimes>,
}

impl TimedPauses {
    /// Records when Asterisk was started and last reloaded. `now` is in Unix seconds.
    pub(super) fn asterisk_booted(&mut self, restarts: Option<Restarts>, now: i64) {
        self.restores = restarts.map(|restarts| RestoreTimes::of(restarts, now));
    }

    /// Records that a new link was established. The bridge may have missed changes.
    pub(super) fn link_established(&mut self) {
        for pause in self.by_member.values_mut().flatten() {
            pause.is_watched = false;
        }
    }

    /// Adds a pause that is about to be sent. `now` is in Unix milliseconds.
    pub(super) fn begin(&mut self, stored: StoredPause, now: i64) {
        self.add(TimedPause::new(stored, true, now + MAX_REPLY_DELAY));
    }

    /// Adds a pause that a previous process has stored.
    pub(super) fn adopt(&mut self, stored: StoredPause) {
        let latest = stored.sent_at + MAX_REPLY_DELAY;
        self.add(TimedPause::new(stored, false, latest));
    }

    fn add(&mut self, added: TimedPause) {
        let key = MemberKey::new(&added.stored.queue, &added.stored.interface);
        let pauses = self.by_member.entry(key).or_default();
        // The database may return a pause that this process has just stored.
        if pauses
            .iter()
            .all(|pause| pause.stored.id != added.stored.id)
        {
            pauses.push(added);
        }
    }

    /// Returns whether the member has a timed pause.
    pub(super) fn contains(&self, key: &MemberKey) -> bool {
        self.by_member.contains_key(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_member.is_empty()
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
            outcome != SentOutcome::NotMade
        });
    }

    /// Records that Asterisk has acknowledged a change of the bridge, which replaces the pauses
    /// made before. The acknowledgment may be late, so that no request waits for it any more.
    /// `now` is in Unix milliseconds.
    pub(super) fn change_acknowledged(
        &mut self,
        key: &MemberKey,
        change: &UnconfirmedChange,
        now: i64,
    ) {
        let Some(pauses) = self.by_member.get_mut(key) else {
            return;
        };
        let acknowledged = match change {
            UnconfirmedChange::Pause {
                paused: true,
                reason,
                ..
            } => pauses.iter().rposition(|pause| {
                pause.in_flight || (!pause.is_made && *pause.reason() == **reason)
            }),
            UnconfirmedChange::Add(_) => pauses.iter().rposition(|pause| pause.in_flight),
            UnconfirmedChange::Pause { paused: false, .. } | UnconfirmedChange::Remove => None,
        };
        let acknowledged = acknowledged.map(|index| {
            let pause = &mut pauses[index];
            pause.is_made = true;
            pause.event_seen = false;
            pause.latest = now + CLOCK_TOLERANCE;
            pause.stored.id
        });
        self.retain(key, |pause| {
            let may_come = pause.in_flight || (!pause.is_made && acknowledged.is_none());
            may_come || Some(pause.stored.id) == acknowledged
        });
    }

    /// Records an event about a member that was paused or was added paused. `is_own` is true if
    /// it confirms the latest change of the bridge. A pause that someone else has made replaces
    /// the timed pause.
    pub(super) fn pause_event(&mut self, key: &MemberKey, member: &Member, is_own: bool) {
        let mut noted = Vec::new();
        let restores = self.restores.clone();
        self.retain(key, |pause| {
            if !pause.is_made {
                return true;
            }
            let is_same = || pause.is_pause_of(member, restores.as_ref());
            if is_own || (!pause.event_seen && is_same()) {
                pause.event_seen = true;
                noted.extend(pause.note_time(member));
                return true;
            }
            !pause.event_seen || pause.in_flight
        });
        self.storage_changes.extend(noted);
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
        let restores = self.restores.as_ref();
        let pauses = self.by_member.get_mut(key)?;
        let current = member.and_then(|member| {
            let is_current =
                |pause: &TimedPause| pause.may_be_current() && pause.is_pause_of(member, restores);
            pauses.iter().rposition(is_current)
        });
        let current = current.map(|index| &mut pauses[index]);
        let (mut current_id, mut end) = (None, None);
        if let (Some(pause), Some(member)) = (current, member) {
            pause.is_made = true;
            pause.is_watched = true;
            (current_id, end) = (Some(pause.stored.id), pause.stored.ends_at);
            let change = pause.note_time(member);
            self.storage_changes.extend(change);
        }
        let mut is_newer = current_id.is_none();
        self.retain(key, |pause| {
            let is_current = Some(pause.stored.id) == current_id;
            is_newer |= is_current;
            // Members that Asterisk reported before the pause may arrive before its event.
            let may_come = !pause.event_seen && now < pause.stored.sent_at + EVENT_TIMEOUT;
            is_current || pause.in_flight || (is_newer && may_come)
        });
        end
    }

    /// Returns the stored pause with this end that is the member's current pause.
    pub(super) fn current(&self, key: &MemberKey, ends_at: i64) -> Option<&StoredPause> {
        let pauses = self.by_member.get(key)?;
        let mut made = pauses.iter().rev().filter(|pause| pause.is_made);
        let current = made.find(|pause| pause.stored.ends_at == Some(ends_at))?;
        Some(&current.stored)
    }

    /// Moves the times at which pauses were sent forward by `millis`, because the bridge's clock
    /// was set forward by that much. Ends are dates, and stay.
    pub(super) fn shift_times(&mut self, millis: i64) {
        for pause in self.by_member.values_mut().flatten() {
            pause.stored.sent_at = pause.stored.sent_at.saturating_add(millis);
            pause.latest = pause.latest.saturating_add(millis);
        }
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
