//! Questions about queues. On a large PBX, none is about all members: no command may have
//! to wait for a long list. On a smaller one, none names a queue ([`Questions`]).

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::stream::{Stream, StreamExt, iter};

use super::command::{CommandError, Questions, QueueCommands, header};
use super::decode;
use super::model::Queue;
use super::name::QueueName;
use crate::ami::{Action, Reply};

/// Queues as they were on the PBX.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The queues: those that were named in that order, all of them in any.
    pub queues: Vec<Arc<Queue>>,
    /// When the oldest part was true.
    pub as_of: SystemTime,
    /// Whether the link is down, so that this is what was last known.
    pub stale: bool,
    /// Number of the latest change that this shows.
    pub latest: u64,
}

/// The names of all queues of a PBX.
#[derive(Debug, Clone)]
pub struct QueueNames {
    /// Those of queues that an action can name.
    pub named: Vec<QueueName>,
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
    /// The names of all queues of the PBX, in Asterisk's order.
    ///
    /// # Errors
    /// As [`CommandError`] says.
    pub async fn names(&self) -> Result<QueueNames, CommandError> {
        let answer = self.status(None, Some(NOBODY)).await?;
        let listed = decode::listed(&answer);
        Ok(QueueNames {
            named: listed.queues.into_iter().map(|queue| queue.name).collect(),
            left_out: listed.left_out,
        })
    }

    /// Lists of these queues, a few at once; of all queues, where none is asked about by
    /// name.
    pub(super) fn lists(
        &self,
        names: Vec<QueueName>,
        at_once: usize,
    ) -> impl Stream<Item = Result<Arc<Reply>, CommandError>> + Send {
        let names = match self.questions {
            Questions::Named => names.into_iter().map(Some).collect(),
            Questions::Whole | Questions::Unnamed if names.is_empty() => Vec::new(),
            Questions::Whole | Questions::Unnamed => vec![None],
        };
        let lists =
            iter(names).map(move |name| async move { self.status(name.as_ref(), None).await });
        lists.buffered(at_once)
    }

    /// All queues with their members and callers.
    ///
    /// # Errors
    /// As [`CommandError`] says.
    pub async fn all_queues(&self) -> Result<Vec<Queue>, CommandError> {
        let answer = self.status(None, None).await?;
        Ok(decode::listed(&answer).queues)
    }

    /// Asks for a queue with its members and callers.
    ///
    /// # Errors
    /// As [`CommandError`] says.
    pub async fn refresh(&self, queue: &QueueName) -> Result<(), CommandError> {
        self.status(Some(queue), None).await.map(drop)
    }

    /// Whether the PBX has a queue of that name.
    pub(super) async fn exists(&self, queue: &QueueName) -> Result<bool, CommandError> {
        let answer = self.status(Some(queue), Some(NOBODY)).await?;
        let queues = decode::listed(&answer).queues;
        Ok(queues.iter().any(|listed| listed.name == *queue))
    }

    /// Asks for the rows of a queue, or of all; only for those of a member, or
    /// of [`NOBODY`]. Names the queue only to a large PBX: else the answer has the rows of
    /// all queues.
    pub(super) async fn status(
        &self,
        queue: Option<&QueueName>,
        member: Option<&str>,
    ) -> Result<Arc<Reply>, CommandError> {
        let action = Action::QueueStatus {
            queue: queue
                .filter(|_| self.questions == Questions::Named)
                .map(|queue| header(queue))
                .transpose()?,
            member: member.map(header).transpose()?,
        };
        self.answer(action).await
    }
}
