//! Maintenance of the mirror: requests refreshes, finds overdue changes and drift, and
//! removes queues.

use std::time::Duration;

use tokio::time::Instant;

use super::{Mirror, Now, Phase, Refresh, StateChange};
use crate::queues::name::QueueName;
use crate::queues::queries::QueryMode;

impl Mirror {
    /// Requests a refresh at `at`. Does nothing unless the mirror follows the PBX or, while
    /// the mirror is loading, has already listed the queue.
    pub(in crate::queues::mirror) fn request_refresh(&mut self, refresh: Refresh, at: Instant) {
        let is_accepted = match self.phase {
            Phase::Live => true,
            Phase::Loading => refresh
                .queue()
                .and_then(|queue| self.queue(queue))
                .is_none_or(|queue| queue.listed_in_full_at.is_some()),
            Phase::NeverLinked | Phase::Lost | Phase::NoAppQueue => false,
        };
        if is_accepted {
            self.pending.add(refresh, at);
        }
    }

    /// Requests a refresh of everything: anything may have changed without an event.
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

    /// When the next pending refresh is due.
    pub(in crate::queues::mirror) fn next_pending(&self) -> Option<Instant> {
        self.pending.next()
    }

    /// When the next refresh is due, checks of vanished queues and members included.
    pub(in crate::queues::mirror) fn next_refresh(&self) -> Option<Instant> {
        self.pending
            .next()
            .into_iter()
            .chain(self.vanished.next())
            .min()
    }

    /// Starts the periodic resync of the queue that was listed longest ago, and returns
    /// its name. `None` if a resync of all queues has listed it so recently that it is not
    /// due before three quarters of the interval.
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

    /// Requests refreshes of members with overdue overlays, and counts the drift that a
    /// resync has found and no event has explained in time.
    pub(in crate::queues::mirror) fn tick(&mut self, now: Now) {
        self.clock.check_own_clock(now);
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
        // A PBX that has sent nothing at all may still have events to send.
        let received = now.min(self.last_received);
        for since in self.possible_drift.unannounced(received) {
            self.event_delivery.unannounced(since);
        }
        let drifted = self.possible_drift.expire(received);
        self.metrics.drift.inc_by(drifted);
    }

    /// The bridge's clock was set forward by this many seconds. Times that were converted
    /// before move by the same amount, so that their age stays the same.
    pub(super) fn shift_times(&mut self, seconds: i64) {
        for queue in self.queues.values_mut() {
            queue.shift_times(seconds);
            let queue = queue.name.clone();
            self.change_log.push(StateChange::Queue { queue });
        }
    }

    /// Sets the queues that the configuration lists. Those that the PBX does not have are
    /// queried again.
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

    /// Removes the queues for whose name, in lower case, `exists` does not hold. A removal
    /// that no reload or new link explains is queried again.
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
            let queue = queue.name.clone();
            self.change_log.push(StateChange::Queue { queue });
        }
    }

    /// Accepts that lists from now on differ from earlier ones, because Asterisk has
    /// reloaded or the link is new.
    pub(super) fn expect_differences(&mut self, now: Instant) {
        self.differences_expected_at = now;
        self.possible_drift.clear();
        self.vanished.clear();
    }

    /// Whether no reload or new link explains that something listed at `listed` is missing.
    pub(super) fn is_unexpected(&self, listed: Option<Instant>) -> bool {
        listed.is_some_and(|listed| listed >= self.differences_expected_at)
    }
}
