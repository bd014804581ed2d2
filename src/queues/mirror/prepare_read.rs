//! Queries Asterisk, if necessary, before a read of the mirror.

use std::future::ready;

use futures_util::stream::TryStreamExt;
use tokio::time::Instant;

use super::pbx::Pbx;
use super::read_request::ReadRequest;
use super::state::{Mirror, MirroredQueue};
use super::statistics_refresh::{StatisticsQuery, query_statistics};
use crate::ami::Failure;
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::queries::{LISTS_AT_ONCE, QueueQueries};

impl Pbx {
    /// Asterisk's spelling of these names, without those that it does not have. Lists all
    /// queues unless Asterisk has already listed every one of these over this link. The
    /// returned names stay valid even if the link is lost right afterwards.
    ///
    /// # Errors
    /// [`QueueError`]
    pub(super) async fn look_up(
        &self,
        names: &[String],
        queries: &QueueQueries,
    ) -> Result<Vec<QueueName>, QueueError> {
        if let Some(known) = self.store.read(|mirror| mirror.spelled_all(names)) {
            return Ok(known);
        }
        let all = queries.names().await?.named;
        let spelled = |name: &String| all.iter().find(|queue| queue.eq_ignore_ascii_case(name));
        Ok(names.iter().filter_map(spelled).cloned().collect())
    }

    /// Waits until the mirror can be read. Queries Asterisk for named queues that the
    /// mirror does not have, or for everything if the read is `fresh`. Returns whether the
    /// mirror is stale.
    pub(super) async fn prepare(
        &self,
        request: ReadRequest<'_>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<bool, QueueError> {
        let stale = self.wait_until_readable(request.deadline).await?;
        if request.fresh {
            self.list_all(request, is_wanted).await?;
        } else if !stale && request.finds_new {
            self.list_new(request).await?;
        }
        Ok(stale)
    }

    /// Queries for a request, to be sent before the deadline.
    ///
    /// # Errors
    /// The same as [`crate::ami::Client::begin`].
    pub(super) fn queries(
        &self,
        deadline: Instant,
        request_id: &str,
    ) -> Result<QueueQueries, Failure> {
        let exchange = self.client.begin(deadline, request_id)?;
        let mode = self.store.read(Mirror::query_mode);
        Ok(QueueQueries::with_mode(exchange, mode))
    }

    fn queries_for(&self, request: ReadRequest<'_>) -> Result<QueueQueries, QueueError> {
        Ok(self.queries(request.deadline, request.request_id)?)
    }

    /// Lists the requested queues with their members.
    async fn list_all(
        &self,
        request: ReadRequest<'_>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<(), QueueError> {
        let queries = self.queries_for(request)?;
        let names = match request.names {
            Some(names) => self.look_up(names, &queries).await?,
            None => {
                let mut all = queries.names().await?.named;
                all.retain(|name| is_wanted(name));
                all
            }
        };
        list(&queries, names).await
    }

    /// Lists named queues that the mirror does not have, or not with their members. When a
    /// reload of Asterisk adds a queue, no event reports it.
    async fn list_new(&self, request: ReadRequest<'_>) -> Result<(), QueueError> {
        let names = request.names.unwrap_or_default();
        let is_new =
            |mirror: &Mirror, name: &str| mirror.queue(name).is_none_or(MirroredQueue::is_new);
        let has_new = |mirror: &Mirror| names.iter().any(|name| is_new(mirror, name));
        if !self.store.read(has_new) {
            return Ok(());
        }
        let queries = self.queries_for(request)?;
        self.look_up(names, &queries).await?;
        let new: Vec<_> = self.store.read(|mirror| {
            let known = names.iter().filter_map(|name| mirror.queue(name));
            let new = known.filter(|queue| queue.is_new());
            new.map(|queue| queue.name.clone()).collect()
        });
        list(&queries, new).await
    }

    /// Queries callers and statistics that are outdated, and then members that would
    /// contradict them.
    pub(super) async fn refresh_statistics(
        &self,
        request: ReadRequest<'_>,
        is_wanted: impl Fn(&str) -> bool + Copy,
    ) -> Result<(), QueueError> {
        let now = Instant::now();
        let outdated: Vec<_> = self.store.read(|mirror| {
            let queues = mirror.selected(request.names, is_wanted).into_iter();
            let outdated = queues.filter(|queue| queue.needs_statistics(now));
            StatisticsQuery::of(mirror, outdated)
        });
        if !outdated.is_empty() {
            query_statistics(&self.queries_for(request)?, outdated).await?;
        }
        let contradicting: Vec<_> = self.store.read(|mirror| {
            let queues = mirror.selected(request.names, is_wanted).into_iter();
            let contradicting = queues.filter(|queue| queue.members_outdated);
            contradicting.map(|queue| queue.name.clone()).collect()
        });
        if contradicting.is_empty() {
            return Ok(());
        }
        list(&self.queries_for(request)?, contradicting).await
    }
}

/// Lists these queues with their members. The mirror applies the lists before this returns.
async fn list(queries: &QueueQueries, names: Vec<QueueName>) -> Result<(), QueueError> {
    let lists = queries.lists(names, LISTS_AT_ONCE);
    lists.try_for_each(|_| ready(Ok(()))).await
}
