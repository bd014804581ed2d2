//! Pauses and unpauses a member.

use super::turn::Turn;
use crate::ami::Action;
use crate::ami::value::{HeaderValue, MemberValue};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::queries::QueueQueries;

impl Turn<'_> {
    /// Pauses or unpauses a member.
    ///
    /// Asterisk sends the same error message for a missing queue and for a missing member, so the
    /// bridge then sends a query to tell the two apart.
    pub(super) async fn pause(
        self,
        queue: &QueueName,
        interface: &str,
        paused: bool,
        reason: Option<&str>,
    ) -> Result<(), QueueError> {
        let queries = self.queries;
        let is_member = self.pause_if_member(queue, interface, paused, reason);
        if is_member.await? {
            return Ok(());
        }
        Err(missing_member(queries, queue).await)
    }

    /// Pauses or unpauses the interface if it is a member of the queue. Returns whether it is
    /// a member.
    ///
    /// The caller doesn't need to know the queue's members: Asterisk looks up the member when
    /// it executes the action, and ignores case. If the queue has no such member, Asterisk
    /// changes and logs nothing (app_queue in Asterisk 13 to 23).
    ///
    /// # Errors
    /// Any [`QueueError`] except [`QueueError::NotAMember`].
    pub(in crate::queues) async fn pause_if_member(
        self,
        queue: &QueueName,
        interface: &str,
        paused: bool,
        reason: Option<&str>,
    ) -> Result<bool, QueueError> {
        let action = Action::QueuePause {
            queue: HeaderValue::new(queue)?,
            interface: MemberValue::new(interface)?,
            paused,
            reason: reason.map(MemberValue::new).transpose()?,
        };
        match self.send(action).await {
            Ok(_) => Ok(true),
            Err(QueueError::NotAMember) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Returns the error for a change to a member whom the queue does not have. Queries whether
/// the queue exists; if the query fails, reports the missing member.
pub(in crate::queues) async fn missing_member(
    queries: &QueueQueries,
    queue: &QueueName,
) -> QueueError {
    match queries.exists(queue).await {
        Ok(false) => QueueError::NoSuchQueue,
        Ok(true) | Err(_) => QueueError::NotAMember,
    }
}
