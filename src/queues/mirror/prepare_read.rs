//! What Asterisk is asked before an answer from memory.

use std::future::ready;
use std::time::Duration;

use futures_util::stream::TryStreamExt;
use tokio::time::{Instant, timeout_at};

use super::mirror::{Mirror, Phase};
use super::mirrored_queue::MirroredQueue;
use super::pbx::{Pbx, ReadRequest};
use super::statistics_refresh::{StatisticsQuery, query_statistics};
use crate::ami::Failure;
use crate::queues::QueueName;
use crate::queues::error::QueueError;
use crate::queues::queries::LISTS_AT_ONCE;
use crate::queues::queries::QueueQueries;

/// When to try again while the state is being loaded.
const LOADING: Failure = Failure::Unavailable {
    retry_after: Duration::from_secs(1),
};

impl Pbx {
    /// How Asterisk spells these names, without those that it does not have: looked up in
    /// a new list of all queues, if it has not listed every one of them yet. A link that
    /// falls in between takes nothing from what was found.
    ///
    /// # Errors
    /// What can become of a question.
    pub(super) async fn look_up(
        &self,
        names: &[String],
        queries: &QueueQueries,
    ) -> Result<Vec<QueueName>, QueueError> {
        let known: Option<Vec<_>> = self
            .store
            .read(|mirror| names.iter().map(|name| mirror.spelled(name)).collect());
        if let Some(known) = known {
            return Ok(known);
        }
        let all = queries.names().await?.named;
        let spelled = |name: &String| all.iter().find(|queue| queue.eq_ignore_ascii_case(name));
        Ok(names.iter().filter_map(spelled).cloned().collect())
    }

    /// Waits until the state is loaded, and asks Asterisk for named queues that are
    /// missing, or for everything if `fresh`. Returns whether the state is stale.
    pub(super) async fn prepare(
        &self,
        request: ReadRequest<'_>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<bool, QueueError> {
        let stale = self.available(request.deadline).await?;
        if request.fresh {
            self.ask_all(request, wanted).await?;
        } else if !stale && request.finds_new {
            self.find(request).await?;
        }
        Ok(stale)
    }

    /// Queries for a request, to be sent before the deadline.
    ///
    /// # Errors
    /// As [`crate::ami::Client::begin`].
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

    /// Asks about the queues as a whole.
    async fn ask_all(
        &self,
        request: ReadRequest<'_>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), QueueError> {
        let queries = self.queries_for(request)?;
        let names = match request.names {
            Some(names) => self.look_up(names, &queries).await?,
            None => {
                let mut all = queries.names().await?.named;
                all.retain(|name| wanted(name));
                all
            }
        };
        let lists = queries.lists(names, LISTS_AT_ONCE);
        lists.try_for_each(|_| ready(Ok(()))).await
    }

    /// Waits until there is a state to be told; returns whether it is stale.
    async fn available(&self, deadline: Instant) -> Result<bool, Failure> {
        if self.is_live() {
            return Ok(false);
        }
        let mut phase = self.store.phase.subscribe();
        let settled = phase.wait_for(|phase| *phase != Phase::Loading);
        let Ok(Ok(settled)) = timeout_at(deadline, settled).await else {
            return Err(LOADING);
        };
        match *settled {
            Phase::Live => Ok(false),
            Phase::Lost if self.settings.serve_stale => Ok(true),
            _ => match self.client.begin_internal(deadline, "") {
                Err(failure) => Err(failure),
                Ok(_) => Err(LOADING),
            },
        }
    }

    /// Asks for queues that are not known, or not whole: Asterisk says nothing when a
    /// reload of its configuration adds one.
    async fn find(&self, request: ReadRequest<'_>) -> Result<(), QueueError> {
        let names = request.names.unwrap_or_default();
        let is_new =
            |mirror: &Mirror, name: &str| mirror.queue(name).is_none_or(MirroredQueue::is_new);
        let new = |mirror: &Mirror| names.iter().any(|name| is_new(mirror, name));
        if !self.store.read(new) {
            return Ok(());
        }
        let queries = self.queries_for(request)?;
        self.look_up(names, &queries).await?;
        let new: Vec<_> = self.store.read(|mirror| {
            let known = names.iter().filter_map(|name| mirror.queue(name));
            let new = known.filter(|entry| entry.is_new());
            new.map(|entry| entry.name.clone()).collect()
        });
        let lists = queries.lists(new, LISTS_AT_ONCE);
        lists.try_for_each(|_| ready(Ok(()))).await
    }

    /// Asks for callers and figures that are outdated, and for the members that must
    /// not contradict them.
    pub(super) async fn refresh_statistics(
        &self,
        request: ReadRequest<'_>,
        wanted: impl Fn(&str) -> bool + Copy,
    ) -> Result<(), QueueError> {
        let now = Instant::now();
        let outdated: Vec<_> = self.store.read(|mirror| {
            let entries = mirror.selected(request.names, wanted).into_iter();
            let outdated = entries.filter(|entry| entry.needs_statistics(now));
            StatisticsQuery::of(mirror, outdated)
        });
        if !outdated.is_empty() {
            query_statistics(&self.queries_for(request)?, outdated).await?;
        }
        let contradicted: Vec<_> = self.store.read(|mirror| {
            let entries = mirror.selected(request.names, wanted).into_iter();
            let contradicted = entries.filter(|entry| entry.members_outdated);
            contradicted.map(|entry| entry.name.clone()).collect()
        });
        if contradicted.is_empty() {
            return Ok(());
        }
        let queries = self.queries_for(request)?;
        let lists = queries.lists(contradicted, LISTS_AT_ONCE);
        lists.try_for_each(|_| ready(Ok(()))).await
    }
}
