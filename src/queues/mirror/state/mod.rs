//! An in-memory mirror of a PBX's queues. Does no IO and never reads the clock.
//!
//! A list replaces the queue that it lists ([`apply_list`]). A member event carries the whole
//! member, so the latest event wins. A call event only marks a queue's statistics as outdated
//! ([`apply_event`]). After an event that leaves something uncertain, the bridge queries the
//! queue or member again ([`PendingRefreshes`]). An acknowledged change is visible immediately,
//! as an overlay, until its event confirms it ([`overlay`]).

mod apply_event;
mod apply_list;
mod apply_member_list;
mod apply_reply;
mod change_log;
mod clock;
mod drift;
mod event;
mod event_delivery;
mod look_up;
mod maintenance;
mod member_key;
mod member_order;
mod memberships;
mod mirrored_queue;
mod moments;
mod now;
mod overlay;
mod pause_ends;
mod pending_refreshes;
mod phase;
mod query_mode;
mod reported;
mod restore_times;
mod shared_calls;
mod show;
mod show_context;
mod timed_pauses;
mod timekeeping;
mod transitions;
mod vanished;
mod watched_queues;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use self::clock::PbxClock;
use self::drift::PossibleDrift;
use self::event_delivery::DeliveryEvidence;
use self::memberships::Memberships;
use self::mirrored_queue::Changed;
use self::moments::Moments;
use self::pending_refreshes::PendingRefreshes;
use self::shared_calls::CompletedCalls;
use self::show_context::{ShowContext, TouchedMember};
use self::timed_pauses::TimedPauses;
use self::vanished::VanishedChecks;
use self::watched_queues::WatchedQueues;
use self::work::WorkLog;
use super::metrics::Metrics;
use crate::queues::TimingRules;
use crate::queues::model::Member;
use crate::queues::name::QueueName;

use self::change_log::ChangeLog;
pub use self::change_log::{MemberChange, StateChange};
pub use self::clock::{TOLERATED_OFFSET, clock_offset};
pub(super) use self::event::Event;
pub use self::event_delivery::EventDelivery;
pub(super) use self::member_key::MemberKey;
pub(super) use self::mirrored_queue::MirroredQueue;
pub(super) use self::now::Now;
pub(super) use self::pause_ends::DuePause;
use self::pause_ends::EndAttempt;
pub use self::pause_ends::PauseRequest;
pub(super) use self::pending_refreshes::Refresh;
pub(super) use self::phase::Phase;
pub(super) use self::timed_pauses::{SentOutcome, StorageChange};
pub use self::watched_queues::ShowsQueue;

/// A PBX's mirror.
#[derive(Debug)]
pub(super) struct Mirror {
    /// The queues by lower-case name, because Asterisk ignores case in queue names.
    queues: HashMap<String, MirroredQueue>,
    memberships: Memberships,
    change_log: ChangeLog,
    pending: PendingRefreshes,
    phase: Phase,
    /// Whether the mirror has ever been complete.
    has_been_live: bool,
    /// When anything was last received from Asterisk.
    last_received: Instant,
    /// The queues that event streams show. Their statistics are refreshed continuously.
    watched: WatchedQueues,
    /// The queue that the periodic resync is listing.
    resyncing: Option<QueueName>,
    /// Whether the list being applied resyncs all queues.
    resyncing_all: bool,
    possible_drift: PossibleDrift,
    vanished: VanishedChecks,
    event_delivery: DeliveryEvidence,
    clock: PbxClock,
    /// Incremented whenever a queue appears, disappears, or is spelled differently.
    names_version: u64,
    /// Number of consecutive lists of all queues that lacked rows.
    incomplete_lists: u32,
    /// When Asterisk last reloaded or the link was established. Lists after this time may differ
    /// from earlier lists even though no event has reported a change.
    differences_expected_since: Instant,
    /// Queue names that no action can carry.
    unusable_names: Vec<String>,
    /// Unknown queues that events have named. The value is the time at which such an event last
    /// caused a request for a list of all queues.
    unknown_queues: HashMap<String, Instant>,
    /// The queues that the configuration lists, in the configuration's spelling.
    configured: Vec<String>,
    /// The rules of all organizations on this PBX.
    rules: Vec<Arc<dyn TimingRules>>,
    /// Since when pauses that others made are ended by their reason, in Unix milliseconds.
    catalog_since: i64,
    timed_pauses: TimedPauses,
    completed_calls: CompletedCalls,
    longest_wrapup_seconds: i64,
    /// The members that were added, replaced or removed by the change being applied.
    touched: Vec<TouchedMember>,
    /// When time next changes each member.
    display_moments: Moments,
    /// When the bridge ends each pause.
    end_moments: Moments,
    /// The pauses that are being ended, or that could not be ended.
    ending: HashMap<MemberKey, EndAttempt>,
    work: WorkLog,
    /// Asterisk's time of the event that is being applied.
    event_time: Option<f64>,
    metrics: Arc<Metrics>,
}

impl Mirror {
    pub(super) fn new(metrics: Arc<Metrics>, at: Instant) -> Self {
        Self {
            queues: HashMap::new(),
            memberships: Memberships::default(),
            change_log: ChangeLog::default(),
            pending: PendingRefreshes::default(),
            phase: Phase::NeverLive,
            has_been_live: false,
            last_received: at,
            watched: WatchedQueues::default(),
            resyncing: None,
            resyncing_all: false,
            possible_drift: PossibleDrift::default(),
            vanished: VanishedChecks::default(),
            event_delivery: DeliveryEvidence::default(),
            clock: PbxClock::default(),
            names_version: 0,
            incomplete_lists: 0,
            differences_expected_since: at,
            unusable_names: Vec::new(),
            unknown_queues: HashMap::new(),
            configured: Vec::new(),
            rules: Vec::new(),
            catalog_since: 0,
            timed_pauses: TimedPauses::default(),
            completed_calls: CompletedCalls::default(),
            longest_wrapup_seconds: 0,
            touched: Vec::new(),
            display_moments: Moments::default(),
            end_moments: Moments::default(),
            ending: HashMap::new(),
            work: WorkLog::default(),
            event_time: None,
            metrics,
        }
    }

    /// Looks up a queue by name, ignoring case.
    pub(super) fn queue(&self, name: &str) -> Option<&MirroredQueue> {
        self.queues.get(&name.to_ascii_lowercase())
    }

    /// Looks up a member of a queue, ignoring case.
    pub(in crate::queues::mirror) fn member(
        &self,
        queue: &str,
        interface: &str,
    ) -> Option<&Arc<Member>> {
        self.memberships.member(queue, interface)
    }

    /// Returns the memberships of an interface, with their queues. Leaves out queues whose members
    /// are not known.
    pub(in crate::queues::mirror) fn memberships_of(
        &self,
        interface: &str,
    ) -> impl Iterator<Item = (&QueueName, &Arc<Member>)> {
        let memberships = self.memberships.of(interface).iter();
        memberships.filter_map(|known| {
            let queue = self.queue(&known.queue)?;
            (!queue.is_new()).then_some((&queue.name, &known.member))
        })
    }

    fn queue_mut(&mut self, name: &str) -> Option<&mut MirroredQueue> {
        self.queues.get_mut(&name.to_ascii_lowercase())
    }

    pub(super) fn queues(&self) -> impl Iterator<Item = &MirroredQueue> {
        self.queues.values()
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Returns the time at which anything was last received from Asterisk.
    pub(super) fn last_received(&self) -> Instant {
        self.last_received
    }

    /// Returns the number of the latest change.
    pub(super) fn latest_change(&self) -> u64 {
        self.change_log.latest()
    }

    /// Returns at most `limit` changes after `number`, or `None` if the change log has already
    /// dropped some of the changes after `number`.
    pub(super) fn changes_since(
        &self,
        number: u64,
        limit: usize,
    ) -> Option<Vec<(u64, StateChange)>> {
        let changes = self.change_log.since(number)?.take(limit);
        Some(changes.map(|(at, change)| (at, change.clone())).collect())
    }

    /// Returns a number that changes whenever a queue appears, disappears or is spelled
    /// differently.
    pub(super) fn names_version(&self) -> u64 {
        self.names_version
    }

    pub(super) fn event_delivery(&self) -> EventDelivery {
        self.event_delivery.delivery()
    }

    /// Returns the number of seconds by which Asterisk's clock is ahead of the bridge's clock.
    pub(super) fn clock_offset(&self) -> Option<f64> {
        self.clock.offset()
    }

    /// Returns whether the last measurement of the clock offset is older than `age`.
    pub(super) fn is_clock_offset_older_than(&self, age: Duration, now: Instant) -> bool {
        self.clock.is_older_than(age, now)
    }

    /// Records that a follower of this view was created.
    pub(super) fn watch(&mut self, view: &str, shows: ShowsQueue) {
        self.watched.add(view, shows);
    }

    /// Records that a follower of this view was dropped.
    pub(super) fn unwatch(&mut self, view: &str) {
        self.watched.remove(view);
    }

    /// Returns the queue filters of all views with open streams.
    pub(super) fn watched_filters(&self) -> Vec<ShowsQueue> {
        self.watched.views()
    }

    /// Returns the members whose calls have just started or ended, by queue.
    pub(super) fn members_with_call_changes(&self) -> HashMap<&QueueName, Vec<Arc<str>>> {
        self.pending.members_with_call_changes()
    }

    /// Returns a queue, and the context for showing its members.
    fn queue_and_context(
        &mut self,
        name: &str,
        now: Now,
    ) -> Option<(&mut MirroredQueue, ShowContext<'_>)> {
        let second = self.work_second(now);
        let queue = self.queues.get_mut(&name.to_ascii_lowercase())?;
        let context = ShowContext {
            now,
            second,
            work: &self.work,
            timed_pauses: &mut self.timed_pauses,
            touched: &mut self.touched,
        };
        Some((queue, context))
    }

    /// Records visible member changes in the change log. Also indexes the members, and plans their
    /// next moments.
    fn record(&mut self, queue: &QueueName, changed: impl IntoIterator<Item = Changed>, now: Now) {
        let is_new = self.queue(queue).is_some_and(MirroredQueue::is_new);
        for (change, member) in changed {
            let queue = queue.clone();
            self.change_log.push(if is_new {
                // The change log does not contain the queue yet.
                StateChange::Queue { queue }
            } else {
                StateChange::Member {
                    queue,
                    change,
                    member,
                }
            });
        }
        self.plan_touched(now);
    }
}

#[cfg(test)]
mod history_tests;

#[cfg(test)]
mod loading_tests;

#[cfg(test)]
mod memberships_tests;

#[cfg(test)]
mod timekeeping_tests;
