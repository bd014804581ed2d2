//! Queries about queues.

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::stream::{Stream, StreamExt, iter};

use super::decode;
use super::error::QueueError;
use super::model::Queue;
use super::name::QueueName;
use super::pace::Permit;
use crate::ami::value::HeaderValue;
use crate::ami::{Action, Exchange, Reply};

/// Queues as they were on the PBX.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Named queues in the order in which they were named, or all queues in any order.
    pub queues: Vec<Arc<Queue>>,
    /// When the oldest data in it was received from Asterisk.
    pub as_of: SystemTime,
    /// True if the link is down and this is the last known state.
    pub stale: bool,
    /// Number of the latest change that this includes.
    pub latest: u64,
}

/// The names of all queues of a PBX.
#[derive(Debug, Clone)]
pub struct QueueNames {
    /// Names that an action can carry.
    pub named: Vec<QueueName>,
    /// Names with leading or trailing white space, a control character, or bytes that are
    /// not UTF-8. Asterisk would look for another queue, so the bridge ignores these.
    pub unusable_names: Vec<String>,
}

/// An interface that no member has. With it as a filter, Asterisk lists a queue's
/// parameters and callers, but no members.
pub(super) const NOBODY: &str = "ami-bridge-nobody";

/// How many lists are queried at the same time. More would delay changes, because Asterisk
/// answers in order; fewer would leave it idle between two lists.
pub(super) const LISTS_AT_ONCE: usize = 4;

/// How Asterisk is queried about queues.
///
/// If a query names a queue, Asterisk looks a realtime queue up in its database. If the
/// database is locked or the row is renamed at that moment, Asterisk takes the queue for
/// deleted and removes its dynamic members. A query about all queues never does that, but
/// takes longer the larger the PBX is. No action reports which queues are realtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryMode {
    /// A small PBX: queries name no queue and always list all members.
    Full,
    /// A medium-sized PBX: queries name no queue.
    Unnamed,
    /// A large PBX: queries name the queue, and none lists all members.
    Named,
}

/// Queries about queues, over one exchange with the PBX.
#[derive(Debug, Clone)]
pub struct QueueQueries {
    exchange: Exchange,
    pub(super) mode: QueryMode,
}

impl QueueQueries {
    /// Queries to a PBX of unknown size.
    #[must_use]
    pub fn new(exchange: Exchange) -> Self {
        Self::with_mode(exchange, QueryMode::Unnamed)
    }

    pub(super) fn with_mode(exchange: Exchange, mode: QueryMode) -> Self {
        Self { exchange, mode }
    }

    /// The names of all queues of the PBX, in Asterisk's order.
    ///
    /// # Errors
    /// [`QueueError`]
    pub async fn names(&self) -> Result<QueueNames, QueueError> {
        let reply = self.status(None, Some(NOBODY)).await?;
        let listed = decode::queue_list(&reply);
        Ok(QueueNames {
            named: listed.queues.into_iter().map(|queue| queue.name).collect(),
            unusable_names: listed.unusable_names,
        })
    }

    /// Lists these queues, `at_once` of them at the same time. Unless the mode is
    /// [`QueryMode::Named`], that is one list of all queues.
    pub(super) fn lists(
        &self,
        names: Vec<QueueName>,
        at_once: usize,
    ) -> impl Stream<Item = Result<Arc<Reply>, QueueError>> + Send {
        let names = match self.mode {
            QueryMode::Named => names.into_iter().map(Some).collect(),
            QueryMode::Full | QueryMode::Unnamed if names.is_empty() => Vec::new(),
            QueryMode::Full | QueryMode::Unnamed => vec![None],
        };
        let lists =
            iter(names).map(move |name| async move { self.status(name.as_ref(), None).await });
        lists.buffered(at_once)
    }

    /// All queues with their members and callers.
    ///
    /// # Errors
    /// [`QueueError`]
    pub async fn all_queues(&self) -> Result<Vec<Queue>, QueueError> {
        let reply = self.status(None, None).await?;
        Ok(decode::queue_list(&reply).queues)
    }

    /// Whether the PBX has the queue.
    pub(super) async fn exists(&self, queue: &QueueName) -> Result<bool, QueueError> {
        let reply = self.status(Some(queue), Some(NOBODY)).await?;
        let queues = decode::queue_list(&reply).queues;
        Ok(queues.iter().any(|listed| listed.name == *queue))
    }

    /// Queries a queue, or all queues: with all members, with one, or with none
    /// ([`NOBODY`]). Unless the mode is [`QueryMode::Named`], the reply has the rows of all
    /// queues.
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
    pub(super) async fn ping(&self) -> Result<Arc<Reply>, QueueError> {
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
        // Queries need no privilege.
        let has_privilege = action.is_read() || self.exchange.may_write();
        let reply = self.exchange.send(action).await?;
        match reply.refusal() {
            None => Ok(reply),
            Some(refusal) => Err(QueueError::from_refusal(refusal, has_privilege)),
        }
    }
}
