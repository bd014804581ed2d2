//! Asks Asterisk for callers and figures.
//!
//! One question answers for figures and members alike where a call has just begun or
//! ended: they are counted together, and must not contradict each other in an answer.

use std::sync::Arc;

use futures_util::future::try_join_all;
use futures_util::stream::{StreamExt, TryStreamExt, iter};

use super::mirror::Mirror;
use super::mirrored_queue::MirroredQueue;
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::queries::NOBODY;
use crate::queues::queries::{QueryMode, QueueQueries};

/// Up to so many queues are asked about one by one; beyond, one question about all
/// queues of the PBX is the lesser burden.
const MAX_SINGLE_QUERIES: usize = 16;

/// A queue whose figures are asked for.
#[derive(Debug)]
pub(super) struct StatisticsQuery {
    queue: QueueName,
    /// Members whose calls in this queue have just begun or ended.
    members: Vec<Arc<str>>,
}

/// Up to so many members are asked about one by one; for more, the queue is listed.
const MAX_SINGLE_MEMBERS: usize = 4;

impl StatisticsQuery {
    pub(super) fn of<'a>(
        mirror: &Mirror,
        entries: impl Iterator<Item = &'a MirroredQueue>,
    ) -> Vec<Self> {
        let mut called = mirror.pending.called_members();
        let queues = entries.map(|entry| Self {
            queue: entry.name.clone(),
            members: called.remove(&entry.name).unwrap_or_default(),
        });
        queues.collect()
    }

    /// Queries the figures together with these members; lists the whole queue if there
    /// are many.
    async fn ask(&self, queries: &QueueQueries) -> Result<(), QueueError> {
        let queue = Some(&self.queue);
        let members: Vec<Option<&str>> = match self.members.len() {
            0 => vec![Some(NOBODY)],
            1..=MAX_SINGLE_MEMBERS => self.members.iter().map(|m| Some(&**m)).collect(),
            _ => vec![None],
        };
        let asked = members
            .into_iter()
            .map(|member| queries.status(queue, member));
        match try_join_all(asked).await {
            // An interface that no action can carry.
            Err(QueueError::Value(_)) => queries.status(queue, None).await.map(drop),
            answers => answers.map(drop),
        }
    }
}

/// Asks for the figures of these queues. The mirror has the answers before this
/// returns.
///
/// # Errors
/// What can become of a question.
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
    let asked = iter(queues).map(|queue| async move { queue.ask(queries).await });
    let mut asked = asked.buffer_unordered(MAX_SINGLE_QUERIES);
    while asked.try_next().await?.is_some() {}
    Ok(())
}
