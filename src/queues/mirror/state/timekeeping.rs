//! Plans and applies the changes that time makes.
//!
//! A member's next moment is derived from the member and the rules whenever either changes, so
//! no moment is forgotten or left over. Moments are dates on the wall clock.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use super::{MemberChange, MemberKey, Mirror, Now, Phase, SentOutcome, StorageChange};
use crate::queues::TimingRules;
use crate::queues::model::Member;
use crate::queues::name::QueueName;
use crate::queues::timing::{catalog_end, longest_wrapup, next_display_change, promised_end};
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

impl Mirror {
    /// Replaces the rules of all organizations on this PBX.
    pub(in crate::queues::mirror) fn set_rules(
        &mut self,
        rules: Vec<Arc<dyn TimingRules>>,
        now: Now,
    ) {
        self.longest_wrapup_seconds = longest_wrapup(&rules);
        self.rules = rules;
        self.catalog_since = now.unix_millis();
        let names: Vec<_> = self.queues().map(|queue| queue.name.clone()).collect();
        for name in names {
            let rules = self.rules_of(&name);
            if let Some(queue) = self.queue_mut(&name) {
                queue.rules = rules;
            }
        }
        self.plan_all(now);
    }

    /// Returns the rules of all organizations on this PBX.
    pub(in crate::queues::mirror) fn rules(&self) -> &[Arc<dyn TimingRules>] {
        &self.rules
    }

    /// Returns the rules of the organizations that have this queue.
    pub(super) fn rules_of(&self, queue: &str) -> Vec<Arc<dyn TimingRules>> {
        let rules = self.rules.iter().filter(|rules| rules.has_queue(queue));
        rules.cloned().collect()
    }

    /// Plans the next moments of all members.
    pub(super) fn plan_all(&mut self, now: Now) {
        let members = self.queues.values().flat_map(|queue| {
            let members = queue.queue.members.iter();
            members.map(|member| (queue.name.clone(), Arc::clone(&member.interface)))
        });
        let members: Vec<_> = members.collect();
        self.touched.extend(members);
        self.plan_touched(now);
    }

    /// Plans the next moments of the members that were added, replaced or removed.
    pub(super) fn plan_touched(&mut self, now: Now) {
        while let Some((queue, interface)) = self.touched.pop() {
            self.share_last_call(&queue, &interface, now);
            self.plan(&queue, &interface, now);
        }
    }

    fn plan(&mut self, queue: &QueueName, interface: &str, now: Now) {
        let key = MemberKey::new(queue, interface);
        let Some(mirrored) = self.queue(queue) else {
            return self.forget_moments(&key);
        };
        let Some(member) = mirrored.queue.member(interface) else {
            return self.forget_moments(&key);
        };
        let rules = mirrored.rules.iter();
        let changes = rules
            .filter_map(|rules| next_display_change(member, queue, &**rules, now.unix_millis()));
        let next_change = changes.min();
        let end = self.end_of(&key, member, &mirrored.rules);
        let end = end.filter(|_| !self.ending.contains(&key));
        self.display_moments.set(&key, next_change);
        self.end_moments.set(&key, end);
    }

    pub(super) fn forget_moments(&mut self, key: &MemberKey) {
        self.display_moments.set(key, None);
        self.end_moments.set(key, None);
    }

    /// Returns when the bridge ends the member's pause, in Unix milliseconds.
    fn end_of(
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

    /// Returns the time of the next change that readers see, in Unix milliseconds.
    pub(in crate::queues::mirror) fn next_display_change(&self) -> Option<i64> {
        self.display_moments.next()
    }

    /// Returns the time of the next change that time makes, in Unix milliseconds.
    pub(in crate::queues::mirror) fn next_moment(&self) -> Option<i64> {
        let ends = self
            .end_moments
            .next()
            .filter(|_| self.phase == Phase::Live);
        let moments = [self.display_moments.next(), ends];
        moments.into_iter().flatten().min()
    }

    /// Shows the members anew that have changed by time alone.
    pub(in crate::queues::mirror) fn show_due_changes(&mut self, now: Now) {
        for key in self.display_moments.take_due(now.unix_millis()) {
            let Some(queue) = self.queue_mut(&key.queue) else {
                continue;
            };
            let name = queue.name.clone();
            // A new copy makes readers render the member again.
            let Some(member) = queue.replace(&key.interface, |_| ()) else {
                continue;
            };
            self.touched
                .push((name.clone(), Arc::clone(&member.interface)));
            let changed = (MemberChange::Updated, member);
            self.record(&name, [changed], now);
        }
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
            self.ending.insert(key);
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
        let stored = self.timed_pauses.standing(key);
        let stored = stored.filter(|_| promised_end(member).is_some());
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

    /// Records that an attempt to end a pause is over. If the pause still stands, it is tried
    /// again at `retry_at`, in Unix milliseconds.
    pub(in crate::queues::mirror) fn end_attempted(
        &mut self,
        key: &MemberKey,
        retry_at: i64,
        now: Now,
    ) {
        self.ending.remove(key);
        if let Some(name) = self.queue(&key.queue).map(|queue| queue.name.clone()) {
            self.plan(&name, &key.interface, now);
        }
        if self.due_pause(key, now).is_some() {
            self.end_moments.set(key, Some(retry_at));
        }
    }

    /// Adds a timed pause that is about to be sent.
    pub(in crate::queues::mirror) fn begin_timed_pause(&mut self, pause: StoredPause) {
        self.timed_pauses.begin(pause);
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
        let members = pauses.iter();
        let members: BTreeSet<_> = members
            .map(|pause| MemberKey::new(&pause.queue, &pause.interface))
            .collect();
        for pause in pauses {
            self.timed_pauses.adopt(pause);
        }
        if self.phase == Phase::Live {
            for key in &members {
                self.show_member_again(key, now);
            }
            self.forget_timed_pauses_of_nonmembers(now);
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

    /// Forgets the timed pauses of members that the complete mirror does not have.
    pub(super) fn forget_timed_pauses_of_nonmembers(&mut self, now: Now) {
        let keys: Vec<_> = self.timed_pauses.keys().cloned().collect();
        for key in keys {
            let queue = self.queue(&key.queue);
            let member = queue.and_then(|queue| queue.queue.member(&key.interface));
            if member.is_none() {
                self.timed_pauses.update(&key, None, now.unix_millis());
            }
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
