//! Queries Asterisk for callers and statistics.
//!
//! If a member's call has just started or ended, a single query returns the member together
//! with the queue's statistics. Otherwise, the member and the statistics in a response could
//! contradict each other.

use std::sync::Arc;

use futures_util::future::try_join_all;
use futures_util::stream::{StreamExt, TryStreamExt, iter};

use super::state::{Mirror, MirroredQueue};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::queries::{NOBODY, QueryMode, QueueQueries};

/// Up to this many queues are queried individually. For more queues, one list of all queues
/// costs Asterisk less.
const MAX_SINGLE_QUERIES: usize = 16;

/// Up to this many members of a queue are queried individually. For more members, the whole
/// queue is listed.
const MAX_SINGLE_MEMBERS: usize = 4;

/// A query for a queue's statistics.
#[derive(Debug)]
pub(super) struct StatisticsQuery {
    queue: QueueName,
    /// Members whose calls in this queue have just started or ended.
    members: Vec<Arc<str>>,
}

impl StatisticsQuery {
    pub(super) fn of<'a>(
        mirror: &Mirror,
        queues: impl Iterator<Item = &'a MirroredQueue>,
    ) -> Vec<Self> {
        let mut members = mirror.members_with_call_changes();
        let queries = queues.map(|queue| Self {
            queue: queue.name.clone(),
            members: members.remove(&queue.name).unwrap_or_default(),
        });
        queries.collect()
    }

    async fn send(&self, queries: &QueueQueries) -> Result<(), QueueError> {
        let queue = Some(&self.queue);
        let members: Vec<Option<&str>> = match self.members.len() {
            0 => vec![Some(NOBODY)],
            1..=MAX_SINGLE_MEMBERS => self.members.iter().map(|m| Some(&**m)).collect(),
            _ => vec![None],
        };
        let replies = members
            .into_iter()
            .map(|member| queries.status(queue, member));
        match try_join_all(replies).await {
            // An action can't carry one of the interfaces, so list the whole queue.
            Err(QueueError::Value(_)) => queries.status(queue, None).await.map(drop),
            replies => replies.map(drop),
        }
    }
}

/// Queries these queues' statistics. The mirror applies the replies before this function
/// returns.
///
/// # Errors
/// A [`QueueError`] if Asterisk refuses or does not answer a query.
pub(super) async fn query_statistics(
    queries: &QueueQueries,
    mut queues: Vec<StatisticsQuery>,
) -> Result<(), QueueError> {
    if queries.mode == QueryMode::Full {
        return queries.status(None, None).await.map(drop);
    }
    if queues.len() > MAX_SINGLE_QUERIES || queries.mode == QueryMode::Unnamed {
        queries.status(None, Some(NOBODY)).await?;
        queues.retain(|queue| !queue.members.is_empty());
    }
    let replies = iter(queues).map(|queue| async move { queue.send(queries).await });
    let mut replies = replies.buffer_unordered(MAX_SINGLE_QUERIES);
    while replies.try_next().await?.is_some() {}
    Ok(())
}
