//! Answers from memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::PbxSettings;
use super::event_delivery::EventDelivery;
use super::follower::Follower;
use super::metrics::Metrics;

use super::mirrored_queue::MirroredQueue;
use super::store::Store;
use super::watched_queues::Shows;
use crate::ami::Client;
use crate::queues::error::QueueError;
use crate::queues::model::Queue;
use crate::queues::name::QueueName;
use crate::queues::pace::Pace;
use crate::queues::queries::Snapshot;
use crate::wall_clock;

/// The live state of a PBX. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pbx {
    pub(super) store: Arc<Store>,
    pub(super) client: Client,
    pub(super) pace: Arc<Pace>,
    pub(super) settings: PbxSettings,
}

/// The PBXes, by their names in the configuration.
pub type Pbxes = HashMap<String, Pbx>;

/// What is to be read, for whom.
#[derive(Debug, Clone, Copy)]
pub struct ReadRequest<'a> {
    /// Names of queues, in any spelling; `None` is all.
    pub names: Option<&'a [String]>,
    /// Whether to ask Asterisk for those of them that are not known.
    pub finds_new: bool,
    /// Whether to ask Asterisk for all of it, whatever is known.
    pub fresh: bool,
    /// When the answer must be there.
    pub deadline: Instant,
    /// Id of the request, for the log.
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

    /// The link.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the state can be read and the link is kept. Does not come back where
    /// somebody never gives the lock back.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.store.read(|_| ());
        self.client.is_supervised()
    }

    /// Bound on a whole request, however many queues it names.
    #[must_use]
    pub fn action_timeout(&self) -> Duration {
        self.settings.action_timeout
    }

    /// What it counts of itself.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.store.metrics
    }

    /// Queues with their members, of those that are `wanted`. Callers and figures
    /// may be old.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] without a link, or while the state is loaded.
    pub async fn members(
        &self,
        request: ReadRequest<'_>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Snapshot, QueueError> {
        let stale = self.prepare(request, &wanted).await?;
        Ok(self.store.read(|mirror| {
            let entries = mirror.selected(request.names, wanted);
            let asked = entries
                .iter()
                .filter_map(|entry| entry.listed_in_full_at)
                .min();
            let as_of = asked
                .filter(|_| request.fresh)
                .unwrap_or(mirror.last_received);
            let queues = entries.into_iter().map(|entry| Arc::clone(entry.queue()));
            Snapshot {
                queues: queues.collect(),
                as_of: wall_clock::before(as_of.elapsed()),
                stale,
                latest: mirror.change_log.latest(),
            }
        }))
    }

    /// Queues with members, callers and figures, of those that are `wanted`. Asks
    /// Asterisk for callers and figures that have changed or are older than a
    /// second; whoever comes meanwhile shares the answer.
    ///
    /// # Errors
    /// As [`Self::members`], and what else can become of a question.
    pub async fn queues(
        &self,
        request: ReadRequest<'_>,
        wanted: impl Fn(&str) -> bool + Copy,
    ) -> Result<Snapshot, QueueError> {
        let stale = self.prepare(request, &wanted).await?;
        if !stale && !request.fresh {
            self.refresh_statistics(request, wanted).await?;
        }
        let now = Instant::now();
        Ok(self.store.read(|mirror| {
            let entries = mirror.selected(request.names, wanted);
            let oldest = entries.iter().map(|entry| entry.statistics_at).min();
            let queues = entries.into_iter().map(|entry| as_of(entry, now));
            Snapshot {
                queues: queues.collect(),
                as_of: wall_clock::before(oldest.unwrap_or(now).elapsed()),
                stale,
                latest: mirror.change_log.latest(),
            }
        }))
    }

    /// A queue as it was last seen.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        let now = Instant::now();
        self.store
            .read(|mirror| Some(as_of(mirror.queue(name)?, now)))
    }

    /// Tells the numbers of this change log from those of any other.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.store.epoch
    }

    /// Follows the changes, for someone who is shown those queues. `view` is the same
    /// for all who are shown the same.
    #[must_use]
    pub fn follow(&self, view: &str, shows: Shows) -> Follower {
        Follower::new(Arc::clone(&self.store), view, shows)
    }

    /// How Asterisk spells the name of a queue; `None` where it has not listed one.
    #[must_use]
    pub fn spelled(&self, name: &str) -> Option<QueueName> {
        self.store.read(|mirror| mirror.spelled(name))
    }

    /// Whether a queue has that member, as far as is known.
    #[must_use]
    pub fn is_member(&self, queue: &QueueName, interface: &str) -> bool {
        self.store.read(|mirror| {
            let entry = mirror.queue(queue);
            entry.is_some_and(|entry| entry.queue().member(interface).is_some())
        })
    }

    /// The names of all queues that Asterisk has listed.
    #[must_use]
    pub fn spelled_names(&self) -> Vec<QueueName> {
        self.store.read(|mirror| {
            let listed = mirror.entries().filter(|entry| entry.listed_at.is_some());
            listed.map(|entry| entry.name.clone()).collect()
        })
    }

    /// Notifies when the set of queues or a spelling has changed, once all queues are
    /// loaded.
    #[must_use]
    pub fn watch_names(&self) -> watch::Receiver<u64> {
        self.store.names.subscribe()
    }

    /// The queues that the configuration lists. Those that the PBX does not have are
    /// looked for again and again.
    pub fn configure(&self, names: Vec<String>) {
        self.store
            .change(|mirror, now| mirror.configure(names, now));
    }

    /// Whether events about members arrive.
    #[must_use]
    pub fn delivery(&self) -> EventDelivery {
        self.store.read(|mirror| mirror.event_delivery.delivery())
    }

    /// Seconds by which Asterisk's clock is ahead of the bridge's, if that is known.
    #[must_use]
    pub fn clock_offset(&self) -> Option<f64> {
        self.store.read(|mirror| mirror.clock.offset())
    }
}

/// The queue now: callers have waited on since they were listed.
fn as_of(entry: &MirroredQueue, now: Instant) -> Arc<Queue> {
    let queue = entry.queue();
    let since = now.saturating_duration_since(entry.statistics_at).as_secs();
    if since == 0 || queue.callers.is_empty() {
        return Arc::clone(queue);
    }
    let mut callers = Vec::clone(&queue.callers);
    for caller in &mut callers {
        caller.wait_seconds += since;
    }
    Arc::new(Queue {
        callers: Arc::new(callers),
        ..Queue::clone(queue)
    })
}
