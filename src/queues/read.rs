//! Questions about queues. None is about all members of the PBX: no command may
//! have to wait behind a long list.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::stream::{Stream, StreamExt, TryStreamExt, iter};

use super::command::{CommandError, QueueCommands, header};
use super::decode;
use super::model::Queue;
use crate::ami::value::HeaderValue;
use crate::ami::{Action, Answer};
use crate::wall_clock;

/// Queues as they were on the PBX.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The queues, in Asterisk's order or in that of the question.
    pub queues: Vec<Arc<Queue>>,
    /// When the oldest part was true.
    pub as_of: SystemTime,
    /// Whether the link is down, so that this is what was last known.
    pub stale: bool,
    /// Number of the latest change that this shows; `None` where Asterisk was
    /// asked for it.
    pub latest: Option<u64>,
}

/// The names of all queues of a PBX.
#[derive(Debug, Clone)]
pub struct QueueNames {
    /// Those of queues that an action can name.
    pub named: Vec<String>,
    /// Those that have white space at an end, a control character, or bytes that
    /// are not UTF-8. Asterisk would look for another queue, so these are left out.
    pub left_out: Vec<String>,
}

/// A name that no member has: with it, Asterisk lists a queue's parameters and
/// callers and none of its members.
pub(super) const NOBODY: &str = "ami-bridge-nobody";

/// Lists that are under way at once, where many are needed: enough to keep
/// Asterisk busy, and few enough to wait behind.
pub(super) const LISTS_AT_ONCE: usize = 4;

impl QueueCommands {
    /// Those of the named queues that the PBX has, in that order; without names,
    /// all that are `wanted`. Asks Asterisk, queue by queue.
    ///
    /// There is no question for one member: Asterisk's filter heeds the case of
    /// interfaces, which it ignores everywhere else.
    ///
    /// # Errors
    /// As [`CommandError`] says; nothing was changed.
    pub async fn queues(
        &self,
        names: Option<&[String]>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Snapshot, CommandError> {
        let names = match names {
            Some(names) => names.to_vec(),
            None => {
                let all = self.names().await?;
                all.named.into_iter().filter(|name| wanted(name)).collect()
            }
        };
        let mut oldest = Duration::ZERO;
        let mut queues = Vec::with_capacity(names.len());
        let mut lists = pin!(self.lists(names, LISTS_AT_ONCE));
        // One by one: rows take more memory than what they say.
        while let Some(answer) = lists.try_next().await? {
            oldest = oldest.max(answer.sent.elapsed());
            queues.extend(decode::queues(&answer.rows).into_iter().map(Arc::new));
        }
        Ok(Snapshot {
            queues,
            as_of: wall_clock::before(oldest),
            stale: false,
            latest: None,
        })
    }

    /// The names of all queues of the PBX, in Asterisk's order.
    ///
    /// # Errors
    /// As [`CommandError`] says.
    pub async fn names(&self) -> Result<QueueNames, CommandError> {
        let answer = self.status(None, Some(NOBODY)).await?;
        let queues = decode::queues(&answer.rows).into_iter();
        Ok(QueueNames {
            named: queues.map(|queue| queue.name).collect(),
            left_out: decode::left_out(&answer.rows),
        })
    }

    /// The lists of queues, in the order of their names, a few at once.
    pub(super) fn lists(
        &self,
        names: Vec<String>,
        at_once: usize,
    ) -> impl Stream<Item = Result<Arc<Answer>, CommandError>> + Send {
        let lists =
            iter(names).map(move |name| async move { self.status(Some(&name), None).await });
        lists.buffered(at_once)
    }

    /// Whether the PBX has a queue of that name.
    pub(super) async fn exists(&self, queue: &HeaderValue) -> Result<bool, CommandError> {
        let answer = self.status(Some(queue.as_str()), Some(NOBODY)).await?;
        Ok(!answer.rows.is_empty())
    }

    /// Asks for the rows of a queue, or of all; only for those of a member, or
    /// of [`NOBODY`].
    pub(super) async fn status(
        &self,
        queue: Option<&str>,
        member: Option<&str>,
    ) -> Result<Arc<Answer>, CommandError> {
        let action = Action::QueueStatus {
            queue: queue.map(header).transpose()?,
            member: member.map(header).transpose()?,
        };
        self.answer(action).await
    }
}
