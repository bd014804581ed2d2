//! Queries Asterisk about its queues.

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::stream::{Stream, StreamExt, iter};

use super::decode;
use super::error::QueueError;
use super::model::{Member, Queue};
use super::name::QueueName;
use super::pace::Permit;
use crate::ami::value::HeaderValue;
use crate::ami::{Action, Exchange, Reply};

/// The age of the data that a read returned, and its position in the change log.
#[derive(Debug, Clone, Copy)]
pub struct ReadState {
    /// When the oldest data was received from Asterisk.
    pub as_of: SystemTime,
    /// Whether the link is down, so that the data may be outdated.
    pub stale: bool,
    /// The number of the latest change that the data includes.
    pub latest: u64,
    /// The time of the read, in Unix milliseconds. Member states that depend on the time are those
    /// of this moment.
    pub now: i64,
}

/// The queues that a read returned, and how current they are.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The named queues in the order of the request, or all queues in any order.
    pub queues: Vec<Arc<Queue>>,
    /// How current the queues are.
    pub read: ReadState,
}

/// The memberships that a read returned, and how current they are.
#[derive(Debug, Clone)]
pub struct MembershipSnapshot {
    /// For each interface of the request, the queues' names and the members, in any order.
    pub memberships: Vec<Vec<(QueueName, Arc<Member>)>>,
    /// The index of the first of the request's queue names that the mirror does not have.
    pub missing: Option<usize>,
    /// How current the memberships are.
    pub read: ReadState,
}

/// The names of all queues on a PBX.
#[derive(Debug, Clone)]
pub struct QueueNames {
    /// The names that an action can carry.
    pub usable_names: Vec<QueueName>,
    /// The names with leading or trailing white space, control characters or invalid UTF-8.
    /// An action with such a name would refer to a different queue, so the bridge ignores
    /// these queues.
    pub unusable_names: Vec<String>,
}

/// An interface that no member has. With this interface as the member filter, Asterisk lists
/// a queue's parameters and callers, but no members.
pub(super) const NOBODY: &str = "ami-bridge-nobody";

/// The number of list queries that a read sends concurrently. A larger number would delay
/// changes, because Asterisk answers in order; a smaller number would leave Asterisk idle
/// between two lists.
pub(super) const READ_CONCURRENCY: usize = 4;

/// How the bridge queries queues, depending on the size of the PBX.
///
/// If a query names a realtime queue, Asterisk looks up the queue in the database. If the
/// database is locked or the row is renamed at that moment, Asterisk considers the queue
/// deleted and removes its dynamic members. A query for all queues never causes this, but
/// takes longer on a larger PBX. No action reports which queues are realtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryMode {
    /// For a small PBX: queries name no queue, and statistics are queried with all members.
    Full,
    /// For a medium-sized PBX: queries name no queue.
    Unnamed,
    /// For a large PBX: queries name the queue, and no query lists the members of all queues.
    Named,
}

/// Sends queue queries in one exchange with the PBX.
#[derive(Debug, Clone)]
pub struct QueueQueries {
    exchange: Exchange,
    pub(super) mode: QueryMode,
}

impl QueueQueries {
    /// Creates queries for a PBX of unknown size.
    #[must_use]
    pub fn new(exchange: Exchange) -> Self {
        Self::with_mode(exchange, QueryMode::Unnamed)
    }

    pub(super) fn with_mode(exchange: Exchange, mode: QueryMode) -> Self {
        Self { exchange, mode }
    }

    /// Queries the names of all queues on the PBX, in Asterisk's order.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk refuses or does not answer the query.
    pub async fn names(&self) -> Result<QueueNames, QueueError> {
        let reply = self.status(None, Some(NOBODY)).await?;
        let listed = decode::queue_list(&reply);
        Ok(QueueNames {
            usable_names: listed.queues.into_iter().map(|queue| queue.name).collect(),
            unusable_names: listed.unusable_names,
        })
    }

    /// Lists these queues, with up to `concurrency` queries at a time. Unless the mode is
    /// [`QueryMode::Named`], sends a single query that lists all queues.
    pub(super) fn lists(
        &self,
        names: Vec<QueueName>,
        concurrency: usize,
    ) -> impl Stream<Item = Result<Arc<Reply>, QueueError>> + Send {
        let names = match self.mode {
            QueryMode::Named => names.into_iter().map(Some).collect(),
            QueryMode::Full | QueryMode::Unnamed if names.is_empty() => Vec::new(),
            QueryMode::Full | QueryMode::Unnamed => vec![None],
        };
        let lists =
            iter(names).map(move |name| async move { self.status(name.as_ref(), None).await });
        lists.buffered(concurrency)
    }

    /// Queries all queues with their members and callers.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk refuses or does not answer the query.
    pub async fn all_queues(&self) -> Result<Vec<Queue>, QueueError> {
        let reply = self.status(None, None).await?;
        Ok(decode::queue_list(&reply).queues)
    }

    /// Queries whether the PBX has the queue.
    pub(super) async fn exists(&self, queue: &QueueName) -> Result<bool, QueueError> {
        let reply = self.status(Some(queue), Some(NOBODY)).await?;
        let queues = decode::queue_list(&reply).queues;
        Ok(queues.iter().any(|listed| listed.name == *queue))
    }

    /// Queries a queue, or all queues if `queue` is `None`. `member` is the filter for members:
    /// an interface, [`NOBODY`] for no members, or `None` for all members. Unless the mode is
    /// [`QueryMode::Named`], the reply has rows for all queues.
    pub(super) async fn status(
        &self,
        queue: Option<&QueueName>,
        member: Option<&str>,
    ) -> Result<Arc<Reply>, QueueError> {
        let named = queue.filter(|_| self.mode == QueryMode::Named);
        let action = Action::QueueStatus {
            queue: named.map(|queue| HeaderValue::new(queue)).transpose()?,
            member: member.map(HeaderValue::new).transpose()?,
        };
        self.send(action).await
    }

    /// Sends a `Ping` and waits for the reply.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk does not reply.
    pub async fn ping(&self) -> Result<Arc<Reply>, QueueError> {
        self.send(Action::Ping).await
    }

    /// Sends a change and waits for the reply.
    pub(super) async fn send_change(
        &self,
        _: &Permit,
        action: Action,
    ) -> Result<Arc<Reply>, QueueError> {
        self.send(action).await
    }

    async fn send(&self, action: Action) -> Result<Arc<Reply>, QueueError> {
        // Read actions need no privilege.
        let has_privilege = action.is_read() || self.exchange.may_write();
        let reply = self.exchange.send(action).await?;
        match reply.refusal() {
            None => Ok(reply),
            Some(refusal) => Err(QueueError::from_refusal(refusal, has_privilege)),
        }
    }
}
