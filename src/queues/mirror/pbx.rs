//! The handle of a PBX: reads from its mirror.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::follower::Follower;
use super::metrics::Metrics;
use super::settings::PbxSettings;
use super::state::{EventDelivery, MirroredQueue, ShowsQueue};
use super::store::Store;
use crate::ami::Client;
use crate::queues::error::QueueError;
use crate::queues::model::Queue;
use crate::queues::name::QueueName;
use crate::queues::pace::Pace;
use crate::queues::queries::Snapshot;
use crate::wall_clock;

/// The handle of a PBX: its client, its mirror, and the pace of its changes. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct Pbx {
    pub(super) store: Arc<Store>,
    pub(super) client: Client,
    pub(super) pace: Arc<Pace>,
    pub(super) settings: PbxSettings,
}

/// The PBXes, by their names in the configuration.
pub type Pbxes = HashMap<String, Pbx>;

/// What to read, and for which request.
#[derive(Debug, Clone, Copy)]
pub struct ReadRequest<'a> {
    /// Names of queues, in any spelling; `None` is all queues.
    pub names: Option<&'a [String]>,
    /// Whether to query Asterisk for named queues that the mirror does not have.
    pub finds_new: bool,
    /// Whether to query Asterisk for everything instead of reading the mirror.
    pub fresh: bool,
    /// When the read must be complete.
    pub deadline: Instant,
    /// The request's id, for the log.
    pub request_id: &'a str,
}

impl Pbx {
    pub(super) fn new(store: Arc<Store>, client: Client, settings: PbxSettings) -> Self {
        Self {
            store,
            client,
            pace: Arc::new(Pace::new(Instant::now())),
            settings,
        }
    }

    /// The client of the link.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the mirror can be read and the link's task still runs. Never returns if a
    /// thread holds the mirror's lock for ever.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.store.read(|_| ());
        self.client.is_supervised()
    }

    /// Bound on a whole request, however many queues it names.
    #[must_use]
    pub fn action_timeout(&self) -> Duration {
        self.settings.action_timeout
    }

    /// Metrics of the mirror and the link.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.store.metrics
    }

    /// Reads queues with their members. Without names, those for which `is_wanted` holds.
    /// Callers and statistics may be outdated.
    ///
    /// # Errors
    /// `Failure::Unavailable` without a link or while the mirror is being loaded, unless
    /// stale reads are allowed. Errors of queries.
    pub async fn members(
        &self,
        request: ReadRequest<'_>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Snapshot, QueueError> {
        let stale = self.prepare(request, &is_wanted).await?;
        Ok(self.store.read(|mirror| {
            let queues = mirror.selected(request.names, is_wanted);
            let listed = queues.iter().filter_map(|queue| queue.listed_in_full_at);
            let oldest = listed.min().filter(|_| request.fresh);
            let as_of = oldest.unwrap_or(mirror.last_received());
            let queues = queues.into_iter().map(|queue| Arc::clone(queue.queue()));
            Snapshot {
                queues: queues.collect(),
                as_of: wall_clock::before(as_of.elapsed()),
                stale,
                latest: mirror.latest_change(),
            }
        }))
    }

    /// Reads queues with members, callers and statistics. Queries Asterisk for callers and
    /// statistics that have changed or are older than a second. Readers that arrive
    /// meanwhile share the reply.
    ///
    /// # Errors
    /// As [`Self::members`].
    pub async fn queues(
        &self,
        request: ReadRequest<'_>,
        is_wanted: impl Fn(&str) -> bool + Copy,
    ) -> Result<Snapshot, QueueError> {
        let stale = self.prepare(request, &is_wanted).await?;
        if !stale && !request.fresh {
            self.refresh_statistics(request, is_wanted).await?;
        }
        let now = Instant::now();
        Ok(self.store.read(|mirror| {
            let queues = mirror.selected(request.names, is_wanted);
            let oldest = queues.iter().map(|queue| queue.statistics_at).min();
            let queues = queues
                .into_iter()
                .map(|queue| with_current_waits(queue, now));
            Snapshot {
                queues: queues.collect(),
                as_of: wall_clock::before(oldest.unwrap_or(now).elapsed()),
                stale,
                latest: mirror.latest_change(),
            }
        }))
    }

    /// A queue as the mirror has it.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        let now = Instant::now();
        self.store
            .read(|mirror| Some(with_current_waits(mirror.queue(name)?, now)))
    }

    /// Identifies the change log. Its numbers mean nothing in another one.
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

    /// Seconds by which Asterisk's clock is ahead of the bridge's; `None` if it was not
    /// measured yet.
    #[must_use]
    pub fn clock_offset(&self) -> Option<f64> {
        self.store.read(|mirror| mirror.clock_offset())
    }
}

/// The queue with the waiting times of its callers as they are now.
fn with_current_waits(queue: &MirroredQueue, now: Instant) -> Arc<Queue> {
    let age = now.saturating_duration_since(queue.statistics_at).as_secs();
    let queue = queue.queue();
    if age == 0 || queue.callers.is_empty() {
        return Arc::clone(queue);
    }
    let mut callers = Vec::clone(&queue.callers);
    for caller in &mut callers {
        caller.wait_seconds += age;
    }
    Arc::new(Queue {
        callers: Arc::new(callers),
        ..Queue::clone(queue)
    })
}
