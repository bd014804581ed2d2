//! Requests refreshes, detects drift, and removes queues.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{MemberKey, Mirror, Now, Phase, Refresh, StateChange};
use crate::queues::name::QueueName;
use crate::queues::queries::QueryMode;

impl Mirror {
    /// Requests a refresh that is due at `at`. Ignored while the mirror receives no updates from
    /// the PBX. During loading, also ignored for queues that have not been listed yet.
    pub(in crate::queues::mirror) fn request_refresh(&mut self, refresh: Refresh, at: Instant) {
        let is_accepted = match self.phase {
            Phase::Live => true,
            Phase::Loading => refresh
                .queue()
                .and_then(|queue| self.queue(queue))
                .is_none_or(|queue| queue.listed_in_full_at.is_some()),
            Phase::NeverLive | Phase::Lost | Phase::NoAppQueue => false,
        };
        if is_accepted {
            self.pending.add(refresh, at);
        }
    }

    /// Requests a refresh of all queues, because anything may have changed without an event.
    pub(super) fn refresh_everything(&mut self, at: Instant) {
        self.request_refresh(Refresh::Queues, at);
        let names: Vec<_> = self.queues().map(|queue| queue.name.clone()).collect();
        for queue in names {
            self.request_refresh(Refresh::Queue(queue), at);
        }
    }

    /// Takes the next refresh that is due.
    pub(in crate::queues::mirror) fn take_refresh(&mut self, now: Instant) -> Option<Refresh> {
        self.vanished.take(now).or_else(|| self.pending.take(now))
    }

    /// Returns the time at which the next pending refresh is due.
    pub(in crate::queues::mirror) fn next_pending(&self) -> Option<Instant> {
        self.pending.next()
    }

    /// Returns the time at which the next refresh is due, including checks of vanished queues
    /// and members.
    pub(in crate::queues::mirror) fn next_refresh(&self) -> Option<Instant> {
        self.pending
            .next()
            .into_iter()
            .chain(self.vanished.next())
            .min()
    }

    /// Starts the periodic resync of the queue that was listed longest ago, and returns the
    /// queue's name. If a resync lists all queues at once, returns `None` until three quarters
    /// of the interval have passed since the last resync.
    pub(in crate::queues::mirror) fn start_resync(
        &mut self,
        interval: Duration,
    ) -> Option<QueueName> {
        self.resyncing = None;
        let oldest = self.queues().min_by_key(|queue| queue.listed_in_full_at)?;
        let is_due = |at: Instant| at.elapsed() >= interval * 3 / 4;
        let is_due = oldest.listed_in_full_at.is_none_or(is_due);
        let starts = is_due || self.query_mode() == QueryMode::Named;
        self.resyncing = starts.then(|| oldest.name.clone());
        self.resyncing.clone()
    }

    /// Requests refreshes of members with overdue overlays, and counts differences as drift if
    /// no event has reported them in time. Also checks the bridge's clock.
    pub(in crate::queues::mirror) fn tick(&mut self, now: Now) {
        self.clock.check_bridge_clock(now);
        let now = now.at;
        let overdue = self.queues().flat_map(|queue| {
            let overdue = queue.overdue(now);
            overdue.map(|interface| (queue.name.clone(), interface))
        });
        let overdue: Vec<_> = overdue.collect();
        for (queue, interface) in overdue {
            let refresh = Refresh::Member {
                queue,
                interface,
                query_twice: false,
            };
            self.request_refresh(refresh, now);
        }
        // While the PBX sends nothing at all, its events may just be delayed.
        let received = now.min(self.last_received);
        for since in self.possible_drift.missing_events(received) {
            self.event_delivery.event_overdue(since);
        }
        let drifted = self.possible_drift.expire(received);
        self.metrics.drift.inc_by(drifted);
    }

    /// Moves already converted times forward by `seconds`, because the bridge's clock was set
    /// forward by that much. The age of each time stays the same.
    pub(super) fn shift_times(&mut self, seconds: i64, now: Now) {
        for queue in self.queues.values_mut() {
            queue.shift_times(seconds);
            let queue = queue.name.clone();
            self.change_log.push(StateChange::Queue { queue });
        }
        self.timed_pauses.shift_times(seconds * 1000);
        self.plan_all(now);
    }

    /// Sets the queues that the configuration lists. Queues that the PBX does not have are
    /// checked again.
    pub(in crate::queues::mirror) fn configure(&mut self, names: Vec<String>, now: Now) {
        self.configured = names;
        if self.phase == Phase::Live {
            self.check_configured(now);
        }
    }

    pub(super) fn check_configured(&mut self, now: Now) {
        let configured = self.configured.iter();
        let missing = configured.filter(|name| self.queue(name).is_none());
        let missing: Vec<_> = missing.cloned().collect();
        for name in missing {
            self.vanished.queue_vanished(&name, now.at);
        }
    }

    /// Removes each queue for which `exists` returns false when called with the queue's
    /// lower-case name. A removed queue is checked again unless a reload or a new link explains
    /// the removal.
    pub(super) fn remove_missing(&mut self, exists: impl Fn(&str) -> bool, now: Now) {
        let removed: Vec<_> = self.queues.extract_if(|name, _| !exists(name)).collect();
        self.names_version += u64::from(!removed.is_empty());
        for (_, queue) in removed {
            self.vanished.queue_removed(&queue.name);
            if self.is_unexpected(queue.listed_at) {
                self.vanished.queue_vanished(&queue.name, now.at);
            }
            let members = &queue.queue().members;
            self.memberships.queue_removed(&queue.name, members);
            let at = self.work_second(now);
            for member in members.iter() {
                let key = MemberKey::new(&queue.name, &member.interface);
                let work_key = (&queue.name, &member.interface);
                let reported = queue.reported(&member.interface).map(Arc::as_ref);
                self.work
                    .member_reported(work_key, (reported, None), queue.is_watched, at);
                self.timed_pauses.update(&key, None, now.unix_millis());
                self.forget_moments(&key);
            }
            let queue = queue.name.clone();
            self.change_log.push(StateChange::Queue { queue });
        }
    }

    /// Records that lists from now on may differ from earlier lists, because Asterisk has
    /// reloaded or a link was established.
    pub(super) fn expect_differences(&mut self, now: Instant) {
        self.differences_expected_since = now;
        self.possible_drift.clear();
        self.vanished.clear();
    }

    /// Returns whether neither a reload nor a new link explains the absence of a queue or
    /// member that was last listed at `listed`.
    pub(super) fn is_unexpected(&self, listed: Option<Instant>) -> bool {
        listed.is_some_and(|listed| listed >= self.differences_expected_since)
    }
}
