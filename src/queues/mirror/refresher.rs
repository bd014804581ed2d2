//! Loads the mirror and keeps it current: queries Asterisk about uncertain state, and about
//! every queue periodically.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::TryStreamExt;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info, warn};

use super::state::{Mirror, Phase, Refresh};
use super::statistics_refresh::{StatisticsQuery, query_statistics};
use super::store::Store;
use crate::ami::{Client, NO_APP_QUEUE};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::queries::{NOBODY, QueueNames, QueueQueries};

/// Number of concurrent list queries while the mirror is being loaded. With one query at a
/// time, Asterisk would be idle between two queries; one list of all queues would delay
/// changes.
const LOAD_CONCURRENCY: usize = 8;

/// Time limit for a refresh.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(10);

/// Time limit for loading the mirror, which takes several seconds on a large PBX.
const LOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Delay before a failed query is repeated.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Maximum time between two measurements of the clock offset.
const CLOCK_INTERVAL: Duration = Duration::from_secs(10);

/// The maximum age of the clock offset when the refresher queries queues. If the last measurement
/// is older, the refresher first measures the offset again.
const MAX_CLOCK_AGE: Duration = Duration::from_secs(2);

/// Minimum time between two queries for the statistics that event streams show.
const STATISTICS_INTERVAL: Duration = Duration::from_secs(1);

/// The minimum pause after a query for these statistics, as a multiple of the query's duration.
/// On a large PBX, it limits these queries to a twentieth of the time.
const STATISTICS_PAUSE_FACTOR: u32 = 19;

/// Time between two checks for overdue overlays.
const TICK_INTERVAL: Duration = Duration::from_millis(500);

/// Loads and refreshes a PBX's mirror.
pub(super) struct Refresher {
    store: Arc<Store>,
    client: Client,
    resync_interval: Duration,
}

/// When each periodic query is due.
struct Schedule {
    queue_list: Instant,
    resync: Instant,
    statistics: Instant,
}

impl Schedule {
    fn next(&self) -> Instant {
        self.queue_list.min(self.resync).min(self.statistics)
    }
}

impl Refresher {
    pub(super) fn new(store: Arc<Store>, client: Client, resync_interval: Duration) -> Self {
        Self {
            store,
            client,
            resync_interval,
        }
    }

    /// Loads the mirror whenever a link is established, and then refreshes it.
    pub(super) async fn run(self) {
        let mut phase = self.store.phase.subscribe();
        loop {
            let needs_work = |phase: &Phase| matches!(phase, Phase::Loading | Phase::NoAppQueue);
            let Ok(current) = phase.wait_for(needs_work).await.map(|phase| *phase) else {
                return;
            };
            if current == Phase::NoAppQueue {
                tokio::select! {
                    () = self.wait_for_app_queue() => {}
                    _ = phase.wait_for(|phase| *phase != Phase::NoAppQueue) => {}
                }
                continue;
            }
            let loaded = tokio::select! {
                loaded = self.load() => loaded,
                // The link was lost or app_queue was unloaded.
                _ = phase.wait_for(|phase| *phase != Phase::Loading) => continue,
            };
            match loaded {
                Ok(()) => tokio::select! {
                    () = self.keep_current() => {}
                    _ = phase.wait_for(|phase| *phase != Phase::Live) => {}
                },
                // The mirror has received the same reply and is now in `Phase::NoAppQueue`.
                Err(QueueError::NotLoaded) => {}
                Err(error) => {
                    warn!(%error, "can't read the queues; retrying");
                    sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    fn begin_queries(&self, timeout: Duration, purpose: &str) -> Result<QueueQueries, QueueError> {
        let deadline = Instant::now() + timeout;
        let exchange = self.client.begin_internal(deadline, purpose)?;
        let mode = self.store.read(Mirror::query_mode);
        Ok(QueueQueries::with_mode(exchange, mode))
    }

    /// Lists all queues with their members.
    async fn load(&self) -> Result<(), QueueError> {
        let start = Instant::now();
        let queries = self.begin_queries(LOAD_TIMEOUT, "seed")?;
        // The clock offset is needed first, to convert the times in the lists.
        self.measure_clock(&queries).await?;
        let QueueNames {
            usable_names,
            unusable_names,
        } = queries.names().await?;
        for queue in unusable_names {
            warn!(
                ?queue,
                "queue ignored: its name has characters that AMI actions can't carry; rename \
                 it in queues.conf"
            );
        }
        let queues = usable_names.len();
        // The query mode depends on the number of queues, which the mirror has just learned.
        let queries = self.begin_queries(LOAD_TIMEOUT, "seed")?;
        let lists = queries.lists(usable_names, LOAD_CONCURRENCY);
        lists.try_for_each(|_| ready(Ok(()))).await?;
        let memberships = self.store.change(|mirror, now| {
            mirror.loading_finished(now);
            (mirror.phase() == Phase::Live).then(|| mirror.count_memberships())
        });
        if let Some(memberships) = memberships {
            let ms = start.elapsed().as_millis() as u64;
            info!(queues, memberships, ms, "live state loaded");
        }
        Ok(())
    }

    /// Waits until Asterisk knows app_queue's actions.
    async fn wait_for_app_queue(&self) {
        warn!(
            reason = NO_APP_QUEUE,
            "Asterisk does not know the queue actions"
        );
        loop {
            sleep(RETRY_DELAY).await;
            let names = async { self.begin_queries(REFRESH_TIMEOUT, "reload")?.names().await };
            if names.await.is_ok() {
                self.store
                    .change(|mirror, now| mirror.app_queue_loaded(now.at));
                return;
            }
        }
    }

    /// Sends the periodic queries and the refreshes that the mirror requests, each when it is
    /// due.
    async fn keep_current(&self) {
        let start = Instant::now();
        let mut schedule = Schedule {
            queue_list: start + self.resync_interval,
            resync: start + self.resync_spacing(),
            statistics: start + STATISTICS_INTERVAL,
        };
        loop {
            let woken = self.store.wake_refresher.notified();
            let next_refresh = self.store.change(|mirror, now| {
                mirror.tick(now);
                mirror.next_refresh()
            });
            if self.send_periodic_query(&mut schedule).await {
                continue;
            }
            if let Some(refresh) = self.store.change(|mirror, now| mirror.take_refresh(now.at)) {
                if !matches!(refresh, Refresh::Statistics(_)) {
                    self.store.metrics.targeted_refreshes.inc();
                }
                self.refresh(refresh, "refresh").await;
                continue;
            }
            let periodic = schedule.next().min(Instant::now() + TICK_INTERVAL);
            let next = next_refresh.map_or(periodic, |next| next.min(periodic));
            tokio::select! {
                () = sleep_until(next) => {}
                () = woken => {}
            }
        }
    }

    /// Sends the periodic query that is due, if any. Returns whether one was due. Periodic
    /// queries have priority over requested refreshes, because there are few of them and a large
    /// number of refreshes must not delay them.
    async fn send_periodic_query(&self, schedule: &mut Schedule) -> bool {
        let now = Instant::now();
        if self.is_clock_offset_older_than(CLOCK_INTERVAL) {
            self.refresh_clock().await;
        } else if schedule.statistics <= now {
            let took = self.refresh_watched().await;
            let pause = STATISTICS_INTERVAL.max(took * STATISTICS_PAUSE_FACTOR);
            schedule.statistics = Instant::now() + pause;
        } else if schedule.queue_list <= now {
            schedule.queue_list = now + self.resync_interval;
            self.refresh(Refresh::Queues, "resync").await;
        } else if schedule.resync <= now {
            schedule.resync = now + self.resync_spacing();
            let oldest = self
                .store
                .change(|mirror, _| mirror.start_resync(self.resync_interval));
            if let Some(queue) = oldest {
                self.refresh(Refresh::Queue(queue), "resync").await;
            }
        } else {
            return false;
        }
        true
    }

    /// Returns the time between the resyncs of two queues.
    fn resync_spacing(&self) -> Duration {
        let queues = self.store.read(|mirror| mirror.queues().count());
        self.resync_interval / u32::try_from(queues.max(1)).unwrap_or(u32::MAX)
    }

    fn is_clock_offset_older_than(&self, age: Duration) -> bool {
        let now = Instant::now();
        self.store
            .read(|mirror| mirror.is_clock_offset_older_than(age, now))
    }

    /// Measures the clock offset. The mirror applies the reply before this function returns.
    async fn measure_clock(&self, queries: &QueueQueries) -> Result<(), QueueError> {
        queries.ping().await.map(drop)
    }

    async fn refresh_clock(&self) {
        let measured = async {
            let queries = self.begin_queries(REFRESH_TIMEOUT, "clock")?;
            self.measure_clock(&queries).await
        };
        if measured.await.is_err() {
            // The session detects and logs a link that no longer answers, so don't log it here.
            sleep(RETRY_DELAY).await;
        }
    }

    /// Queries the statistics of the queues that event streams show, because no event reports
    /// a reset of the statistics or a change of a caller's priority or position. Returns the
    /// duration of the queries.
    async fn refresh_watched(&self) -> Duration {
        let start = Instant::now();
        let views = self.store.read(Mirror::watched_filters);
        if views.is_empty() {
            return Duration::ZERO;
        }
        let outdated = self.store.read(|mirror| {
            let outdated = mirror
                .queues()
                .filter(|queue| queue.needs_statistics(start));
            let names = outdated.map(|queue| queue.name.clone());
            names.collect::<Vec<_>>()
        });
        let is_shown = |name: &QueueName| views.iter().any(|shows| shows(name));
        let shown: Vec<_> = outdated.into_iter().filter(is_shown).collect();
        let queues: Vec<_> = self.store.read(|mirror| {
            let queues = shown.iter().filter_map(|name| mirror.queue(name));
            StatisticsQuery::of(mirror, queues)
        });
        if queues.is_empty() {
            return Duration::ZERO;
        }
        let queried = async {
            let queries = self.begin_queries(REFRESH_TIMEOUT, "streams")?;
            query_statistics(&queries, queues).await
        };
        if let Err(error) = queried.await {
            debug!(%error, "can't read the statistics that event streams show");
        }
        start.elapsed()
    }

    /// Performs a refresh. The mirror applies the reply before this function returns.
    async fn refresh(&self, refresh: Refresh, purpose: &str) {
        match self.query(&refresh, purpose).await {
            // After `NotLoaded`, the mirror is in `Phase::NoAppQueue`.
            Ok(()) | Err(QueueError::NotLoaded) => {}
            // An action can't carry the member's interface, so list the whole queue.
            Err(QueueError::Value(_)) => {
                if let Refresh::Member { queue, .. } = refresh {
                    let refresh = Refresh::Queue(queue);
                    self.store
                        .change(|mirror, now| mirror.request_refresh(refresh, now.at));
                }
            }
            Err(error) => {
                warn!(%error, ?refresh, "QueueStatus failed");
                self.store.change(|mirror, now| {
                    mirror.request_refresh(refresh, now.at + RETRY_DELAY);
                });
            }
        }
    }

    async fn query(&self, refresh: &Refresh, purpose: &str) -> Result<(), QueueError> {
        let queries = self.begin_queries(REFRESH_TIMEOUT, purpose)?;
        if self.is_clock_offset_older_than(MAX_CLOCK_AGE) {
            self.measure_clock(&queries).await?;
        }
        let (queue, member) = match refresh {
            Refresh::Queues => (None, Some(NOBODY)),
            Refresh::Queue(queue) => (Some(queue), None),
            Refresh::Statistics(queue) => (Some(queue), Some(NOBODY)),
            Refresh::Member {
                queue, interface, ..
            } => (Some(queue), Some(&**interface)),
        };
        queries.status(queue, member).await.map(drop)
    }
}
