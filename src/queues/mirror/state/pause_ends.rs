//! The ends of pauses: which pause ends when, and why.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use super::{MemberKey, Mirror, MirroredQueue, Now, Phase, SentOutcome, StorageChange};
use crate::queues::TimingRules;
use crate::queues::model::Member;
use crate::queues::name::QueueName;
use crate::queues::timing::{catalog_end, promised_end};
use crate::storage::StoredPause;

/// Asterisk reports the beginning of a pause in whole seconds, so the pause may have begun
/// almost a second later. In milliseconds.
const PAUSE_TIME_PRECISION: i64 = 1000;

/// The minimum delay before the bridge ends a pause that another bridge may end, in
/// milliseconds.
const MIN_STANDBY_DELAY: i64 = 300;

/// The range of the random part of this delay, in milliseconds.
const STANDBY_DELAY_RANGE: u64 = 1700;

/// Differs between processes, so that two bridges have different standby delays.
static STANDBY_DELAYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A pause that the bridge has to end now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::queues::mirror) struct DuePause {
    pub(in crate::queues::mirror) queue: QueueName,
    pub(in crate::queues::mirror) interface: Arc<str>,
    /// The organization whose request or catalog ends the pause.
    pub(in crate::queues::mirror) organization: String,
    /// The request that made the pause; `None` if it was made elsewhere.
    pub(in crate::queues::mirror) request: Option<PauseRequest>,
}

/// The request that made a pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseRequest {
    /// The user who made the pause.
    pub user: String,
    /// The request's id.
    pub request_id: String,
}

/// The latest attempt to end a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndAttempt {
    /// The attempt is running.
    Running,
    /// The attempt has failed. The next one is due at this time, in Unix milliseconds.
    Failed { retry_at: i64 },
}

impl Mirror {
    /// Returns when the bridge ends the member's pause, in Unix milliseconds.
    pub(super) fn end_of(
        &self,
        key: &MemberKey,
        member: &Member,
        rules: &[Arc<dyn TimingRules>],
    ) -> Option<i64> {
        if let Some(end) = promised_end(member) {
            return Some(end);
        }
        let ends = rules
            .iter()
            .filter_map(|rules| catalog_end(member, &**rules));
        let end = ends.min()? + PAUSE_TIME_PRECISION;
        let pause = (key, member.last_pause.unix());
        let random = STANDBY_DELAYS.hash_one(pause) % STANDBY_DELAY_RANGE;
        Some(end.max(self.catalog_since) + MIN_STANDBY_DELAY + random as i64)
    }

    /// Plans the end of a member's pause, in Unix milliseconds. An earlier attempt delays it.
    pub(super) fn plan_end(&mut self, key: &MemberKey, end: Option<i64>) {
        let at = match (end, self.ending.get(key)) {
            (_, Some(EndAttempt::Running)) => None,
            (Some(end), Some(EndAttempt::Failed { retry_at })) => Some(end.max(*retry_at)),
            (None, Some(EndAttempt::Failed { .. })) => {
                self.ending.remove(key);
                None
            }
            (end, None) => end,
        };
        self.end_moments.set(key, at);
    }

    /// Takes the pauses that the bridge has to end now. While the mirror is not live, there are
    /// none.
    pub(in crate::queues::mirror) fn take_due_pauses(&mut self, now: Now) -> Vec<DuePause> {
        if self.phase != Phase::Live {
            return Vec::new();
        }
        let keys = self.end_moments.take_due(now.unix_millis()).into_iter();
        let due: Vec<_> = keys.filter_map(|key| self.due_pause(&key, now)).collect();
        for pause in &due {
            let key = MemberKey::new(&pause.queue, &pause.interface);
            self.ending.insert(key, EndAttempt::Running);
        }
        due
    }

    /// Returns the member's pause if the bridge has to end it now.
    pub(in crate::queues::mirror) fn due_pause(
        &self,
        key: &MemberKey,
        now: Now,
    ) -> Option<DuePause> {
        let queue = self.queue(&key.queue)?;
        let member = queue.queue.member(&key.interface)?;
        let end = self.end_of(key, member, &queue.rules)?;
        if end > now.unix_millis() {
            return None;
        }
        let stored = promised_end(member).and_then(|end| self.timed_pauses.current(key, end));
        let mut rules = queue.rules.iter();
        let organization = match stored {
            Some(stored) => stored.organization.clone(),
            None => rules
                .find(|rules| catalog_end(member, &***rules).is_some())?
                .organization()
                .to_owned(),
        };
        Some(DuePause {
            queue: queue.name.clone(),
            interface: Arc::clone(&member.interface),
            organization,
            request: stored.map(|stored| PauseRequest {
                user: stored.user.clone(),
                request_id: stored.request_id.clone(),
            }),
        })
    }

    /// Compares the bridge's wall clock with its monotonic clock, so that the next `Ping` can
    /// tell whether the clock was set.
    pub(in crate::queues::mirror) fn check_clock(&mut self, now: Now) {
        self.clock.check_bridge_clock(now);
    }

    /// Records that an attempt to end a pause is over. If the pause still stands, it is tried
    /// again at `retry_at`, in Unix milliseconds.
    pub(in crate::queues::mirror) fn end_attempted(&mut self, key: &MemberKey, retry_at: i64) {
        self.ending
            .insert(key.clone(), EndAttempt::Failed { retry_at });
        let queue = self.queues.get(&key.queue);
        let end = queue.and_then(|queue| {
            let member = queue.queue.member(&key.interface)?;
            self.end_of(key, member, &queue.rules)
        });
        self.plan_end(key, end);
    }

    /// Adds a timed pause that is about to be sent.
    pub(in crate::queues::mirror) fn begin_timed_pause(&mut self, pause: StoredPause, now: Now) {
        self.timed_pauses.begin(pause, now.unix_millis());
    }

    /// Records the outcome of sending a timed pause.
    pub(in crate::queues::mirror) fn timed_pause_sent(
        &mut self,
        key: &MemberKey,
        id: u64,
        outcome: SentOutcome,
        now: Now,
    ) {
        self.timed_pauses.sent(key, id, outcome);
        self.show_member_again(key, now);
    }

    /// Adds the timed pauses that a previous process has stored.
    pub(in crate::queues::mirror) fn adopt_timed_pauses(
        &mut self,
        mut pauses: Vec<StoredPause>,
        now: Now,
    ) {
        pauses.sort_by_key(|pause| pause.sent_at);
        for pause in pauses {
            self.timed_pauses.adopt(pause);
        }
        if self.phase == Phase::Live {
            self.review_timed_pauses(now);
        }
    }

    /// Returns whether the member has a timed pause.
    pub(in crate::queues::mirror) fn has_timed_pause(&self, key: &MemberKey) -> bool {
        self.timed_pauses.contains(key)
    }

    /// Takes the changes that must be stored.
    pub(in crate::queues::mirror) fn take_storage_changes(&mut self) -> Vec<StorageChange> {
        self.timed_pauses.take_storage_changes()
    }

    /// Compares all timed pauses with the members, and forgets those that no longer stand.
    pub(super) fn review_timed_pauses(&mut self, now: Now) {
        let keys: BTreeSet<_> = self.timed_pauses.keys().cloned().collect();
        for key in keys {
            if self.member(&key.queue, &key.interface).is_some() {
                self.show_member_again(&key, now);
            } else {
                self.forget_timed_pauses_of_nonmember(&key, now);
            }
        }
    }

    /// Forgets the timed pauses of this queue's members that a complete list lacks.
    pub(super) fn forget_timed_pauses_of_nonmembers(&mut self, queue: &QueueName, now: Now) {
        let lowercase = queue.to_ascii_lowercase();
        let keys = self
            .timed_pauses
            .keys()
            .filter(|key| key.queue == lowercase);
        let keys: Vec<_> = keys.cloned().collect();
        for key in keys {
            if self.member(queue, &key.interface).is_none() {
                self.forget_timed_pauses_of_nonmember(&key, now);
            }
        }
    }

    /// Forgets the timed pauses of an interface that is not a member, unless the mirror may lack
    /// the member because a list was incomplete.
    fn forget_timed_pauses_of_nonmember(&mut self, key: &MemberKey, now: Now) {
        let is_listed = |queue: &MirroredQueue| !queue.is_new() && queue.incomplete_lists == 0;
        let is_certain = match self.queue(&key.queue) {
            Some(queue) => is_listed(queue),
            None => self.incomplete_lists == 0,
        };
        if is_certain {
            self.timed_pauses.update(key, None, now.unix_millis());
        }
    }

    fn show_member_again(&mut self, key: &MemberKey, now: Now) {
        let Some((queue, mut context)) = self.queue_and_context(&key.queue, now) else {
            return;
        };
        let name = queue.name.clone();
        let changed = queue.show_again(&key.interface, &mut context);
        self.record(&name, changed, now);
    }
}
