//! Asks Asterisk what the mirror needs to know: all of it at the start, then what
//! has become doubtful, and every queue in its turn.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::TryStreamExt;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::mirror::{Mirror, Phase};
use super::pending_refreshes::Refresh;
use super::statistics_refresh::{StatisticsQuery, query_statistics};
use super::store::Store;
use crate::ami::{Action, Client, NO_APP_QUEUE};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::queries::QueueQueries;
use crate::queues::queries::{NOBODY, QueueNames};

/// Lists that are under way at once when all is asked about. One after the other
/// would leave Asterisk idle in between; all in one would let no command through.
const LISTS_AT_ONCE: usize = 8;

/// For one question.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// For all questions at the start: a large PBX takes seconds.
const SEED_TIMEOUT: Duration = Duration::from_secs(60);

/// Between attempts that fail while the link is there.
const AGAIN: Duration = Duration::from_secs(1);

/// The PBX's clock is measured at least so often.
const CLOCK_INTERVAL: Duration = Duration::from_secs(10);

/// How old the last measurement may be when members are asked about.
const MAX_CLOCK_AGE: Duration = Duration::from_secs(2);

/// How often the figures that event streams show are asked for.
const STATISTICS_INTERVAL: Duration = Duration::from_secs(1);

/// The pause after a query for these figures, as a multiple of its duration: a large PBX
/// spends at most a twentieth of its time on them.
const STATISTICS_REST: u32 = 19;

/// How often to look for changes whose events have not come.
const TICK_INTERVAL: Duration = Duration::from_millis(500);

/// Keeps the mirror until `stop`.
pub(super) async fn refresh(
    store: Arc<Store>,
    client: Client,
    interval: Duration,
    stop: CancellationToken,
) {
    let refresher = Refresher {
        store,
        client,
        interval,
    };
    tokio::select! {
        () = refresher.run() => {}
        () = stop.cancelled() => {}
    }
}

struct Refresher {
    store: Arc<Store>,
    client: Client,
    interval: Duration,
}

impl Refresher {
    async fn run(&self) {
        let mut phase = self.store.phase.subscribe();
        loop {
            let to_do = phase.wait_for(|phase| matches!(phase, Phase::Loading | Phase::NoAppQueue));
            let Ok(to_do) = to_do.await.map(|phase| *phase) else {
                return;
            };
            if to_do == Phase::NoAppQueue {
                tokio::select! {
                    () = self.wait_until_loaded() => {}
                    _ = phase.wait_for(|phase| *phase != Phase::NoAppQueue) => {}
                }
                continue;
            }
            let loading_finished = tokio::select! {
                loading_finished = self.seed() => loading_finished,
                // That attempt is over.
                _ = phase.wait_for(|phase| *phase != Phase::Loading) => continue,
            };
            match loading_finished {
                Ok(()) => tokio::select! {
                    () = self.follow() => {}
                    _ = phase.wait_for(|phase| *phase != Phase::Live) => {}
                },
                // The mirror knows.
                Err(QueueError::NotLoaded) => {}
                Err(error) => {
                    warn!(%error, "the queues can't be read");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    fn ask(&self, within: Duration, purpose: &str) -> Result<QueueQueries, QueueError> {
        let exchange = self
            .client
            .begin_internal(Instant::now() + within, purpose)?;
        let mode = self.store.read(Mirror::query_mode);
        Ok(QueueQueries::with_mode(exchange, mode))
    }

    /// Asks about everything, queue by queue.
    async fn seed(&self) -> Result<(), QueueError> {
        let start = Instant::now();
        let queries = self.ask(SEED_TIMEOUT, "seed")?;
        // Before the first times are reported.
        self.measure_clock(&queries).await?;
        let QueueNames {
            named,
            unusable_names,
        } = queries.names().await?;
        for queue in unusable_names {
            warn!(
                ?queue,
                "a queue is left out, since no action can carry its name: mend its section \
                 in queues.conf"
            );
        }
        let queues = named.len();
        // Of a PBX that was never loaded, the number of queues says most of its size.
        let queries = self.ask(SEED_TIMEOUT, "seed")?;
        let lists = queries.lists(named, LISTS_AT_ONCE);
        lists.try_for_each(|_| ready(Ok(()))).await?;
        let memberships = self.store.change(|mirror, now| {
            mirror.loading_finished(now);
            (mirror.phase == Phase::Live).then(|| mirror.count_memberships())
        });
        if let Some(memberships) = memberships {
            let ms = start.elapsed().as_millis() as u64;
            info!(queues, memberships, ms, "live state loaded");
        }
        Ok(())
    }

    /// Asks until Asterisk has queues again.
    async fn wait_until_loaded(&self) {
        warn!(reason = NO_APP_QUEUE, "Asterisk has no queues");
        loop {
            sleep(AGAIN).await;
            let names = async { self.ask(QUERY_TIMEOUT, "reload")?.names().await };
            if names.await.is_ok() {
                self.store
                    .change(|mirror, now| mirror.app_queue_loaded(now.at));
                return;
            }
        }
    }

    /// Asks what is doubtful when it is due, and every queue in its turn.
    async fn follow(&self) {
        let mut queue_list_due = Instant::now() + self.interval;
        let mut resync_due = Instant::now() + self.spacing();
        let mut statistics_due = Instant::now() + STATISTICS_INTERVAL;
        loop {
            let work = self.store.work.notified();
            let now = Instant::now();
            let next = self.store.change(|mirror, now| {
                mirror.tick(now);
                let doubt = mirror.vanished.next();
                mirror.pending.next().into_iter().chain(doubt).min()
            });
            // Turns first: they are few, and however much is doubtful, it can't keep
            // them from being taken.
            if self.is_clock_older_than(CLOCK_INTERVAL) {
                self.refresh_clock().await;
            } else if statistics_due <= now {
                let took = self.refresh_watched().await;
                statistics_due = Instant::now() + STATISTICS_INTERVAL.max(took * STATISTICS_REST);
            } else if queue_list_due <= now {
                queue_list_due = now + self.interval;
                self.refresh(Refresh::Queues, "resync").await;
            } else if resync_due <= now {
                resync_due = now + self.spacing();
                let oldest = self.store.change(|mirror, _| {
                    mirror.resyncing = mirror.oldest(self.interval);
                    mirror.resyncing.clone()
                });
                if let Some(queue) = oldest {
                    self.refresh(Refresh::Queue(queue), "resync").await;
                }
            } else if let Some(refresh) = self.store.change(|m, now| m.take_refresh(now.at)) {
                if !matches!(refresh, Refresh::Statistics(_)) {
                    self.store.metrics.targeted_refreshes.inc();
                }
                self.refresh(refresh, "refresh").await;
            } else {
                let turn = queue_list_due.min(resync_due).min(statistics_due);
                let turn = turn.min(now + TICK_INTERVAL);
                let until = next.map_or(turn, |next| next.min(turn));
                tokio::select! {
                    () = sleep_until(until) => {}
                    () = work => {}
                }
            }
        }
    }

    /// The time between two turns.
    fn spacing(&self) -> Duration {
        let queues = self.store.read(|mirror| mirror.entries().count());
        self.interval / u32::try_from(queues.max(1)).unwrap_or(u32::MAX)
    }

    fn is_clock_older_than(&self, age: Duration) -> bool {
        let now = Instant::now();
        self.store
            .read(|mirror| mirror.clock.is_older_than(age, now))
    }

    async fn measure_clock(&self, queries: &QueueQueries) -> Result<(), QueueError> {
        // The mirror takes the answer over before it is here.
        queries.send(Action::Ping).await.map(drop)
    }

    async fn refresh_clock(&self) {
        let measured = async { self.measure_clock(&self.ask(QUERY_TIMEOUT, "clock")?).await };
        if measured.await.is_err() {
            // The session watches over the link itself.
            sleep(AGAIN).await;
        }
    }

    /// Asks for the figures of the queues that event streams show: priorities and
    /// places of callers change without an event, and a reset of statistics too.
    /// Returns how long Asterisk took.
    async fn refresh_watched(&self) -> Duration {
        let start = Instant::now();
        let views = self.store.read(|mirror| mirror.watched.views());
        if views.is_empty() {
            return Duration::ZERO;
        }
        let names = self.store.read(|mirror| {
            let outdated = mirror
                .entries()
                .filter(|entry| entry.needs_statistics(start));
            let names = outdated.map(|entry| entry.name.clone());
            names.collect::<Vec<_>>()
        });
        let shown = |name: &QueueName| views.iter().any(|shows| shows(name));
        let shown: Vec<_> = names.into_iter().filter(shown).collect();
        let queues: Vec<_> = self.store.read(|mirror| {
            let entries = shown.iter().filter_map(|name| mirror.queue(name));
            StatisticsQuery::of(mirror, entries)
        });
        if queues.is_empty() {
            return Duration::ZERO;
        }
        let asked = async { query_statistics(&self.ask(QUERY_TIMEOUT, "streams")?, queues).await };
        if let Err(error) = asked.await {
            debug!(%error, "the figures that event streams show can't be read");
        }
        start.elapsed()
    }

    /// Asks. The mirror has the answer before this returns.
    async fn refresh(&self, refresh: Refresh, purpose: &str) {
        let asked = async {
            let queries = self.ask(QUERY_TIMEOUT, purpose)?;
            if self.is_clock_older_than(MAX_CLOCK_AGE) {
                self.measure_clock(&queries).await?;
            }
            match &refresh {
                Refresh::Queues => queries.status(None, Some(NOBODY)).await,
                Refresh::Queue(queue) => queries.status(Some(queue), None).await,
                Refresh::Statistics(queue) => queries.status(Some(queue), Some(NOBODY)).await,
                Refresh::Member {
                    queue, interface, ..
                } => queries.status(Some(queue), Some(interface)).await,
            }
        };
        match asked.await {
            // The mirror knows.
            Ok(_) | Err(QueueError::NotLoaded) => {}
            // An event has told of a queue that is left out, or of a member whose
            // interface no action can carry: then the whole queue tells of it.
            Err(QueueError::Value(_)) => {
                if let Refresh::Member { queue, .. } = refresh {
                    let whole = Refresh::Queue(queue);
                    self.store
                        .change(|mirror, now| mirror.request_refresh(whole, now.at));
                }
            }
            Err(error) => {
                warn!(%error, ?refresh, "a question about queues has no answer");
                self.store
                    .change(|mirror, now| mirror.request_refresh(refresh, now.at + AGAIN));
            }
        }
    }
}
