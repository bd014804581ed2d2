//! The queries that a read sends before it reads the mirror.

use std::future::ready;

use futures_util::stream::TryStreamExt;
use tokio::time::Instant;

use super::pbx::Pbx;
use super::read_request::ReadRequest;
use super::state::{Mirror, MirroredQueue};
use super::statistics_refresh::{StatisticsQuery, query_statistics};
use crate::ami::{Exchange, Failure};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::queries::{QueueQueries, READ_CONCURRENCY};

impl Pbx {
    /// Returns Asterisk's spelling of these queue names. Omits queues that the PBX does not
    /// have. Queries the list of all queues unless Asterisk has already listed all these queues
    /// over this link. The returned names stay valid if the link is lost.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk refuses or does not answer the query.
    pub(super) async fn look_up(
        &self,
        names: &[String],
        queries: &QueueQueries,
    ) -> Result<Vec<QueueName>, QueueError> {
        if let Some(known) = self.store.read(|mirror| mirror.spellings_of(names)) {
            return Ok(known);
        }
        let all = queries.names().await?.usable_names;
        let spelled = |name: &String| all.iter().find(|queue| queue.eq_ignore_ascii_case(name));
        Ok(names.iter().filter_map(spelled).cloned().collect())
    }

    /// Waits until the mirror can be read. Then queries Asterisk for named queues that the
    /// mirror does not have, or for all requested queues if the read is `fresh`. Returns
    /// whether the mirror is stale.
    pub(super) async fn prepare(
        &self,
        request: ReadRequest<'_>,
        is_selected: impl Fn(&str) -> bool,
    ) -> Result<bool, QueueError> {
        let stale = self.wait_until_readable(request.deadline).await?;
        if request.fresh {
            self.list_all(request, is_selected).await?;
        } else if !stale && request.looks_up_missing {
            self.list_new(request).await?;
        }
        Ok(stale)
    }

    /// Begins a request's queries. Queries can be sent until the deadline.
    ///
    /// # Errors
    /// The errors of [`crate::ami::Client::begin`].
    pub(super) fn begin_queries(
        &self,
        deadline: Instant,
        request_id: &str,
    ) -> Result<QueueQueries, Failure> {
        Ok(self.queries(self.client.begin(deadline, request_id)?))
    }

    /// Begins queries of the bridge itself.
    ///
    /// # Errors
    /// The errors of [`crate::ami::Client::begin_internal`].
    pub(super) fn begin_internal_queries(
        &self,
        deadline: Instant,
        purpose: &str,
    ) -> Result<QueueQueries, Failure> {
        Ok(self.queries(self.client.begin_internal(deadline, purpose)?))
    }

    fn queries(&self, exchange: Exchange) -> QueueQueries {
        QueueQueries::with_mode(exchange, self.store.read(Mirror::query_mode))
    }

    fn begin_read_queries(&self, request: ReadRequest<'_>) -> Result<QueueQueries, QueueError> {
        Ok(self.begin_queries(request.deadline, request.request_id)?)
    }

    /// Lists the requested queues with their members.
    async fn list_all(
        &self,
        request: ReadRequest<'_>,
        is_selected: impl Fn(&str) -> bool,
    ) -> Result<(), QueueError> {
        let queries = self.begin_read_queries(request)?;
        let names = match request.names {
            Some(names) => self.look_up(names, &queries).await?,
            None => {
                let mut all = queries.names().await?.usable_names;
                all.retain(|name| is_selected(name));
                all
            }
        };
        list(&queries, names).await
    }

    /// Lists the named queues whose members the mirror does not have. For example, no event
    /// reports a queue that was added by a reload of Asterisk.
    async fn list_new(&self, request: ReadRequest<'_>) -> Result<(), QueueError> {
        let names = request.names.unwrap_or_default();
        let is_new =
            |mirror: &Mirror, name: &str| mirror.queue(name).is_none_or(MirroredQueue::is_new);
        let has_new = |mirror: &Mirror| names.iter().any(|name| is_new(mirror, name));
        if !self.store.read(has_new) {
            return Ok(());
        }
        let queries = self.begin_read_queries(request)?;
        self.look_up(names, &queries).await?;
        let new: Vec<_> = self.store.read(|mirror| {
            let known = names.iter().filter_map(|name| mirror.queue(name));
            let new = known.filter(|queue| queue.is_new());
            new.map(|queue| queue.name.clone()).collect()
        });
        list(&queries, new).await
    }

    /// Queries outdated callers and statistics, and then lists the queues whose members would
    /// contradict the new statistics.
    pub(super) async fn refresh_statistics(
        &self,
        request: ReadRequest<'_>,
        is_selected: impl Fn(&str) -> bool + Copy,
    ) -> Result<(), QueueError> {
        let now = Instant::now();
        let outdated: Vec<_> = self.store.read(|mirror| {
            let queues = mirror.selected(request, is_selected).into_iter();
            let outdated = queues.filter(|queue| queue.needs_statistics(now));
            StatisticsQuery::of(mirror, outdated)
        });
        if !outdated.is_empty() {
            query_statistics(&self.begin_read_queries(request)?, outdated).await?;
        }
        let contradicting: Vec<_> = self.store.read(|mirror| {
            let queues = mirror.selected(request, is_selected).into_iter();
            let contradicting = queues.filter(|queue| queue.members_outdated);
            contradicting.map(|queue| queue.name.clone()).collect()
        });
        if contradicting.is_empty() {
            return Ok(());
        }
        list(&self.begin_read_queries(request)?, contradicting).await
    }
}

/// Lists these queues with their members. The mirror applies the lists before this function
/// returns.
async fn list(queries: &QueueQueries, names: Vec<QueueName>) -> Result<(), QueueError> {
    let lists = queries.lists(names, READ_CONCURRENCY);
    lists.try_for_each(|_| ready(Ok(()))).await
}
