//! The handle of a PBX.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::follower::Follower;
use super::metrics::Metrics;
use super::settings::PbxOptions;
use super::state::{EventDelivery, ShowsQueue};
use super::store::Store;
use crate::ami::Client;
use crate::queues::name::QueueName;
use crate::queues::pace::Pace;

/// The handle of a PBX: its client, its mirror, and the pace of its changes. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct Pbx {
    pub(super) store: Arc<Store>,
    pub(super) client: Client,
    pub(super) pace: Arc<Pace>,
    pub(super) settings: PbxOptions,
}

/// The PBXes, by their names in the configuration.
pub type Pbxes = HashMap<String, Pbx>;

impl Pbx {
    pub(super) fn new(store: Arc<Store>, client: Client, settings: PbxOptions) -> Self {
        Self {
            store,
            client,
            pace: Arc::new(Pace::new(Instant::now())),
            settings,
        }
    }

    /// The number of requests that use the link, and its limit.
    #[must_use]
    pub fn pending_requests(&self) -> (usize, usize) {
        self.client.pending()
    }

    /// Whether the mirror can be read and the link's task still runs. Blocks forever if a
    /// thread never releases the mirror's lock.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.store.read(|_| ());
        self.client.is_supervised()
    }

    /// Time limit for a whole request, no matter how many queues it names.
    #[must_use]
    pub fn action_timeout(&self) -> Duration {
        self.settings.action_timeout
    }

    /// Metrics of the mirror and the link.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.store.metrics
    }

    /// Identifies the change log. Its numbers have no meaning in another one.
    #[must_use]
    pub fn change_log_id(&self) -> u64 {
        self.store.change_log_id
    }

    /// Follows the changes, for a stream that shows the queues for which `shows` holds.
    /// Streams that show the same queues have the same `view`.
    #[must_use]
    pub fn follow(&self, view: &str, shows: ShowsQueue) -> Follower {
        Follower::new(Arc::clone(&self.store), view, shows)
    }

    /// How Asterisk spells the name of a queue; `None` if Asterisk has not listed the
    /// queue over this link.
    #[must_use]
    pub fn spelled(&self, name: &str) -> Option<QueueName> {
        self.store.read(|mirror| mirror.spelled(name))
    }

    /// Whether the mirror lists the interface as a member of the queue.
    #[must_use]
    pub fn is_member(&self, queue: &QueueName, interface: &str) -> bool {
        self.store.read(|mirror| {
            let queue = mirror.queue(queue);
            queue.is_some_and(|queue| queue.queue().member(interface).is_some())
        })
    }

    /// The names of all queues that Asterisk has listed over this link.
    #[must_use]
    pub fn spelled_names(&self) -> Vec<QueueName> {
        self.store.read(|mirror| {
            let listed = mirror.queues().filter(|queue| queue.listed_at.is_some());
            listed.map(|queue| queue.name.clone()).collect()
        })
    }

    /// Notifies when a queue has appeared, disappeared or been respelled, while the mirror
    /// is complete.
    #[must_use]
    pub fn watch_names(&self) -> watch::Receiver<u64> {
        self.store.names.subscribe()
    }

    /// Sets the queues that the configuration lists. Asterisk is queried again for those
    /// that it does not have.
    pub fn configure(&self, names: Vec<String>) {
        self.store
            .change(|mirror, now| mirror.configure(names, now));
    }

    /// Whether events about members arrive.
    #[must_use]
    pub fn event_delivery(&self) -> EventDelivery {
        self.store.read(|mirror| mirror.event_delivery())
    }

    /// Seconds by which Asterisk's clock is ahead of the bridge's; `None` if it has not
    /// been measured yet.
    #[must_use]
    pub fn clock_offset(&self) -> Option<f64> {
        self.store.read(|mirror| mirror.clock_offset())
    }
}
