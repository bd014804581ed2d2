//! The state of a PBX's queues, from what is read of it. No IO, and no clock.
//!
//! Lists replace what they list ([`super::apply_list`]). Events of members carry the whole
//! member, and the last one counts; those of calls only say that figures have changed
//! ([`super::apply_event`]). What neither tells is [`PendingRefreshes`]. Acknowledged changes are laid
//! over it all until their events come ([`super::overlay`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::change_log::{ChangeLog, StateChange};
use super::clock_offset::Clock;
use super::drift::PossibleDrift;
use super::event_delivery::DeliveryEvidence;
use super::memberships::Memberships;
use super::metrics::Metrics;
use super::mirrored_queue::{Changed, MirroredQueue};
use super::now::Now;
use super::pending_refreshes::{PendingRefreshes, Refresh};
use super::vanished::VanishedChecks;
use super::watched_queues::WatchedQueues;
use crate::queues::name::QueueName;
use crate::queues::queries::QueryMode;

/// How much of the state is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// There was no link yet.
    NeverLinked,
    /// There is no link: what is there was true once.
    Lost,
    /// There is a link, and not yet all of the state.
    Loading,
    /// There is a link, and Asterisk has no queues: app_queue is not loaded.
    NoAppQueue,
    /// All is there, and followed.
    Live,
}

/// The state.
#[derive(Debug)]
pub(super) struct Mirror {
    /// By name in lower case: Asterisk compares without case.
    pub(super) entries: HashMap<String, MirroredQueue>,
    pub(super) memberships: Memberships,
    pub(super) change_log: ChangeLog,
    pub(super) pending: PendingRefreshes,
    pub(super) phase: Phase,
    /// Whether there was ever all of the state.
    pub(super) has_been_live: bool,
    /// When Asterisk was last heard.
    pub(super) last_received: Instant,
    /// The queues that event streams show, whose figures must be new.
    pub(super) watched: WatchedQueues,
    /// The queue that a resync is asking about, where that is its only reason.
    pub(super) resyncing: Option<QueueName>,
    /// A list of all queues is the answer to that.
    pub(super) resyncing_all: bool,
    pub(super) possible_drift: PossibleDrift,
    pub(super) vanished: VanishedChecks,
    pub(super) event_delivery: DeliveryEvidence,
    pub(super) clock: Clock,
    /// Counts changes of which queues there are, and of how they are spelled.
    pub(super) names_version: u64,
    /// Lists of all queues in a row that lacked rows.
    pub(super) broken_lists: u32,
    /// The last reload or new link. It explains what lists lack that they had before.
    differences_expected_at: Instant,
    /// Names of queues that no action can carry.
    pub(super) unusable_names: Vec<String>,
    /// Names of unknown queues in events, and when a list was asked for because of them.
    pub(super) unknown_queues: HashMap<String, Instant>,
    /// Names of queues that the configuration lists, in its spelling.
    pub(super) configured: Vec<String>,
    pub(super) metrics: Arc<Metrics>,
}

impl Mirror {
    pub(super) fn new(metrics: Arc<Metrics>, at: Instant) -> Self {
        Self {
            entries: HashMap::new(),
            memberships: Memberships::default(),
            change_log: ChangeLog::default(),
            pending: PendingRefreshes::default(),
            phase: Phase::NeverLinked,
            has_been_live: false,
            last_received: at,
            watched: WatchedQueues::default(),
            resyncing: None,
            resyncing_all: false,
            possible_drift: PossibleDrift::default(),
            vanished: VanishedChecks::default(),
            event_delivery: DeliveryEvidence::default(),
            clock: Clock::default(),
            names_version: 0,
            differences_expected_at: at,
            unknown_queues: HashMap::new(),
            broken_lists: 0,
            unusable_names: Vec::new(),
            configured: Vec::new(),
            metrics,
        }
    }

    pub(super) fn queue(&self, queue: &str) -> Option<&MirroredQueue> {
        self.entries.get(&queue.to_ascii_lowercase())
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &MirroredQueue> {
        self.entries.values()
    }

    /// The queues of these names, in any spelling and in that order; without names, all
    /// that are `wanted`.
    pub(super) fn selected(
        &self,
        names: Option<&[String]>,
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<&MirroredQueue> {
        match names {
            Some(names) => names.iter().filter_map(|name| self.queue(name)).collect(),
            // Nothing is known yet of the members of new ones.
            None => {
                let all = self.entries().filter(|entry| !entry.is_new());
                all.filter(|entry| wanted(&entry.name)).collect()
            }
        }
    }

    /// How Asterisk spells the name of a queue, where it has listed the queue over this
    /// link.
    pub(super) fn spelled(&self, queue: &str) -> Option<QueueName> {
        let entry = self.queue(queue)?;
        entry.listed_at.map(|_| entry.name.clone())
    }

    /// There is a new link: nothing is confirmed.
    pub(super) fn link_made(&mut self, now: Instant) {
        self.phase = Phase::Loading;
        self.pending.clear();
        self.expect_differences(now);
        self.unusable_names.clear();
        self.unknown_queues.clear();
        self.event_delivery = DeliveryEvidence::default();
        self.resyncing = None;
        for entry in self.entries.values_mut() {
            entry.forget_freshness();
        }
    }

    pub(super) fn link_lost(&mut self) {
        if self.phase == Phase::Live {
            self.change_log.push(StateChange::Link { connected: false });
        }
        self.phase = if self.has_been_live {
            Phase::Lost
        } else {
            Phase::NeverLinked
        };
    }

    /// Asterisk knows no actions of queues any more. Where the link has ended, that
    /// says nothing.
    pub(super) fn app_queue_unloaded(&mut self) {
        if matches!(self.phase, Phase::Loading | Phase::Live) {
            self.link_lost();
            self.phase = Phase::NoAppQueue;
        }
    }

    /// Asterisk has queues again.
    pub(super) fn app_queue_loaded(&mut self, now: Instant) {
        if self.phase == Phase::NoAppQueue {
            self.link_made(now);
        }
    }

    /// All queues have been listed that there were when the link was made. That may
    /// be over: the last list and the end of the link can come together.
    pub(super) fn loading_finished(&mut self, now: Now) {
        if self.phase != Phase::Loading {
            return;
        }
        self.phase = Phase::Live;
        self.names_version += 1;
        self.has_been_live = true;
        self.change_log.push(StateChange::Link { connected: true });
        // New since then, and so not listed.
        let new = self
            .entries()
            .filter(|entry| entry.listed_in_full_at.is_none());
        let new: Vec<_> = new.map(|entry| entry.name.clone()).collect();
        for queue in new {
            self.request_refresh(Refresh::Queue(queue), now.at);
        }
    }

    /// The queues that the configuration lists. Those that the PBX does not have are
    /// looked for.
    pub(super) fn configure(&mut self, names: Vec<String>, now: Now) {
        self.configured = names;
        if self.phase == Phase::Live {
            self.check_configured(now);
        }
    }

    pub(super) fn check_configured(&mut self, now: Now) {
        let missing = self
            .configured
            .iter()
            .filter(|name| self.queue(name).is_none());
        let missing: Vec<_> = missing.cloned().collect();
        for name in missing {
            self.vanished.queue_vanished(&name, now.at);
        }
    }

    /// The next question that is due.
    pub(super) fn take_refresh(&mut self, now: Instant) -> Option<Refresh> {
        self.vanished.take(now).or_else(|| self.pending.take(now))
    }

    /// Everything may have changed without an event.
    pub(super) fn refresh_everything(&mut self, at: Instant) {
        self.request_refresh(Refresh::Queues, at);
        let names: Vec<_> = self.entries().map(|entry| entry.name.clone()).collect();
        for queue in names {
            self.request_refresh(Refresh::Queue(queue), at);
        }
    }

    /// Asks about members whose changes have waited too long for their events,
    /// and counts what a resync has found otherwise and no event has told.
    pub(super) fn tick(&mut self, now: Now) {
        self.clock.check_own_clock(now);
        let now = now.at;
        let overdue = self.entries().flat_map(|entry| {
            let overdue = entry.overdue(now);
            overdue.map(|interface| (entry.name.clone(), interface))
        });
        let overdue: Vec<_> = overdue.collect();
        for (queue, interface) in overdue {
            let again = false;
            let refresh = Refresh::Member {
                queue,
                interface,
                again,
            };
            self.request_refresh(refresh, now);
        }
        // A PBX that says nothing at all does not say that nothing happens.
        let last_received = now.min(self.last_received);
        for since in self.possible_drift.unannounced(last_received) {
            self.event_delivery.unannounced(since);
        }
        self.metrics
            .drift
            .inc_by(self.possible_drift.drifted(last_received));
    }

    /// The bridge's clock was set forward by that many seconds: what was converted
    /// before is still as long ago.
    pub(super) fn shift_times(&mut self, seconds: i64) {
        for entry in self.entries.values_mut() {
            entry.shift_times(seconds);
            let queue = entry.name.clone();
            self.change_log.push(StateChange::Queue { queue });
        }
    }

    /// The queue that was confirmed longest ago, unless another one's turn has just
    /// confirmed all: then its own is not due before three quarters of the interval.
    pub(super) fn oldest(&self, interval: Duration) -> Option<QueueName> {
        let oldest = self.entries().min_by_key(|entry| entry.listed_in_full_at)?;
        let is_due = |at: Instant| at.elapsed() >= interval * 3 / 4;
        let is_due = oldest.listed_in_full_at.is_none_or(is_due);
        (is_due || self.query_mode() == QueryMode::Named).then(|| oldest.name.clone())
    }

    pub(super) fn request_refresh(&mut self, refresh: Refresh, at: Instant) {
        let is_followed = match self.phase {
            Phase::Live => true,
            // Unless it is asked about anyhow.
            Phase::Loading => refresh
                .queue()
                .and_then(|queue| self.queue(queue))
                .is_none_or(|entry| entry.listed_in_full_at.is_some()),
            Phase::NeverLinked | Phase::Lost | Phase::NoAppQueue => false,
        };
        if is_followed {
            self.pending.add(refresh, at);
        }
    }

    pub(super) fn record(&mut self, queue: &QueueName, changed: impl IntoIterator<Item = Changed>) {
        let is_new = self.queue(queue).is_some_and(MirroredQueue::is_new);
        for (what, member) in changed {
            self.memberships.record(queue, what, &member);
            let queue = queue.clone();
            self.change_log.push(if is_new {
                // Nobody has been told that there is such a queue.
                StateChange::Queue { queue }
            } else {
                StateChange::Member {
                    queue,
                    what,
                    member,
                }
            });
        }
    }

    /// Keeps the queues whose name, in lower case, passes. The others have vanished. That
    /// is in doubt if they were listed since the last reload or new link, which could
    /// explain it.
    pub(super) fn retain_queues(&mut self, keep: impl Fn(&str) -> bool, now: Now) {
        let gone: Vec<_> = self.entries.extract_if(|name, _| !keep(name)).collect();
        self.names_version += u64::from(!gone.is_empty());
        for (_, entry) in gone {
            self.vanished.queue_removed(&entry.name);
            if self.is_unexpected(entry.listed_at) {
                self.vanished.queue_vanished(&entry.name, now.at);
            }
            let members = &entry.queue().members;
            self.memberships.queue_removed(&entry.name, members);
            let queue = entry.name.clone();
            self.change_log.push(StateChange::Queue { queue });
        }
    }

    /// Something happened that explains whatever the next lists lack.
    pub(super) fn expect_differences(&mut self, now: Instant) {
        self.differences_expected_at = now;
        self.possible_drift.clear();
        self.vanished.clear();
    }

    /// Whether nothing explains that something is missing which was listed then.
    pub(super) fn is_unexpected(&self, listed: Option<Instant>) -> bool {
        listed.is_some_and(|listed| listed >= self.differences_expected_at)
    }
}

#[cfg(test)]
#[path = "mirror_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "seeding_tests.rs"]
mod seeding_tests;
