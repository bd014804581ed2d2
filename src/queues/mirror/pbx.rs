//! The PBX handle.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::Instant;

use super::follower::Follower;
use super::membership_locks::MembershipLocks;
use super::metrics::Metrics;
use super::settings::PbxOptions;
use super::state::{EventDelivery, ShowsQueue, StateChange};
use super::store::Store;
use crate::ami::Client;
use crate::queues::TimingRules;
use crate::queues::model::Membership;
use crate::queues::name::QueueName;
use crate::queues::pace::Pace;
use crate::queues::work_event::WorkEvent;

/// The maximum number of changes that one call of [`Pbx::changes_since`] returns.
const MAX_CHANGES: usize = 512;

/// A handle to a PBX: its AMI client, its mirror, and the pace of its changes. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct Pbx {
    /// The configured name.
    pub(super) name: String,
    pub(super) store: Arc<Store>,
    pub(super) client: Client,
    pub(super) pace: Arc<Pace>,
    pub(super) settings: PbxOptions,
    pub(super) membership_locks: Arc<MembershipLocks>,
}

/// The PBXes, by their configured names.
pub type Pbxes = HashMap<String, Pbx>;

impl Pbx {
    pub(super) fn new(
        name: String,
        store: Arc<Store>,
        client: Client,
        settings: PbxOptions,
    ) -> Self {
        Self {
            name,
            store,
            client,
            pace: Arc::new(Pace::new(Instant::now())),
            settings,
            membership_locks: Arc::new(MembershipLocks::new()),
        }
    }

    /// Sets the rules of the organizations on this PBX.
    pub fn set_timing_rules(&self, rules: Vec<Arc<dyn TimingRules>>) {
        self.store
            .change(|mirror, now| mirror.set_rules(rules, now));
    }

    /// Returns the rules of the organizations on this PBX.
    #[must_use]
    pub fn timing_rules(&self) -> Vec<Arc<dyn TimingRules>> {
        self.store.read(|mirror| mirror.rules().to_vec())
    }

    /// Reports everything that the day's work depends on to a recorder, beginning with the
    /// members that Asterisk has reported.
    pub fn record_work(&self, recorder: UnboundedSender<WorkEvent>) {
        self.store
            .change(|mirror, now| mirror.record_work(recorder, now));
    }

    /// Returns the current number of requests that use the link, and the maximum number.
    #[must_use]
    pub fn pending_requests(&self) -> (usize, usize) {
        self.client.pending()
    }

    /// Returns whether the link's task is still running. Also locks the mirror, and therefore
    /// blocks forever if another thread never releases the mirror's lock.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.store.read(|_| ());
        self.client.is_supervised()
    }

    /// Returns the time limit of a whole request, regardless of the number of its queues.
    #[must_use]
    pub fn action_timeout(&self) -> Duration {
        self.settings.action_timeout
    }

    /// Returns the metrics of the mirror and the link.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.store.metrics
    }

    /// Returns the id of the change log. Change numbers are only valid within one change log.
    #[must_use]
    pub fn change_log_id(&self) -> u64 {
        self.store.change_log_id
    }

    /// Returns the number of the latest change.
    #[must_use]
    pub fn latest_change(&self) -> u64 {
        *self.store.latest.borrow()
    }

    /// Returns at most 512 changes after `number`, each with its number. Returns `None` if the
    /// change log has already dropped some of the changes after `number`, or if there is no
    /// change with this number yet.
    #[must_use]
    pub fn changes_since(&self, number: u64) -> Option<Vec<(u64, StateChange)>> {
        self.store
            .read(|mirror| mirror.changes_since(number, MAX_CHANGES))
    }

    /// Starts following changes for a view of event streams. The view shows the queues for which
    /// `shows` returns true. `view` is its key.
    #[must_use]
    pub fn follow(&self, view: &str, shows: ShowsQueue) -> Follower {
        Follower::new(Arc::clone(&self.store), view, shows)
    }

    /// Returns Asterisk's spelling of a queue name, or `None` if Asterisk has not listed the
    /// queue over this link.
    #[must_use]
    pub fn spelling_of(&self, name: &str) -> Option<QueueName> {
        self.store.read(|mirror| mirror.spelling_of(name))
    }

    /// Returns whether the mirror lists the interface as a member of the queue.
    #[must_use]
    pub fn is_member(&self, queue: &QueueName, interface: &str) -> bool {
        self.store
            .read(|mirror| mirror.member(queue, interface).is_some())
    }

    /// Returns the names of the queues of which the mirror lists the interface as a member.
    #[must_use]
    pub fn queues_of(&self, interface: &str) -> HashSet<QueueName> {
        self.store.read(|mirror| {
            let memberships = mirror.memberships_of(interface);
            memberships.map(|(queue, _)| queue.clone()).collect()
        })
    }

    /// Returns how the interface is a member of the queue, or `None` if the mirror does not list it
    /// as a member.
    pub(super) fn membership(&self, queue: &QueueName, interface: &str) -> Option<Membership> {
        self.store.read(|mirror| {
            let member = mirror.member(queue, interface);
            member.map(|member| member.membership)
        })
    }

    /// Returns whether the mirror lists the interface as a paused member of the queue.
    pub(super) fn is_paused(&self, queue: &QueueName, interface: &str) -> bool {
        self.store.read(|mirror| {
            let member = mirror.member(queue, interface);
            member.is_some_and(|member| member.paused)
        })
    }

    /// Returns the names of all queues that Asterisk has listed over this link.
    #[must_use]
    pub fn listed_names(&self) -> Vec<QueueName> {
        self.store.read(|mirror| {
            let listed = mirror.queues().filter(|queue| queue.listed_at.is_some());
            listed.map(|queue| queue.name.clone()).collect()
        })
    }

    /// Returns a receiver that is notified when a queue has appeared, disappeared or changed its
    /// spelling. It is not notified while the mirror is incomplete.
    #[must_use]
    pub fn watch_names(&self) -> watch::Receiver<u64> {
        self.store.names_version.subscribe()
    }

    /// Sets the queues that the configuration lists. The bridge queries Asterisk again for
    /// configured queues that Asterisk has not listed.
    pub fn configure(&self, names: Vec<String>) {
        self.store
            .change(|mirror, now| mirror.configure(names, now));
    }

    /// Returns whether member events arrive from Asterisk.
    #[must_use]
    pub fn event_delivery(&self) -> EventDelivery {
        self.store.read(|mirror| mirror.event_delivery())
    }

    /// Returns the number of seconds by which Asterisk's clock is ahead of the bridge's clock,
    /// or `None` before the first measurement.
    #[must_use]
    pub fn clock_offset(&self) -> Option<f64> {
        self.store.read(|mirror| mirror.clock_offset())
    }
}
