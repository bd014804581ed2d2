//! Pauses and unpauses a member.

use super::turn::Turn;
use crate::ami::Action;
use crate::ami::value::{HeaderValue, MemberValue};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;

impl Turn<'_> {
    /// Asterisk has one text for "no such queue" and "not a member". A query tells the two
    /// apart.
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
        // Asterisk has refused, whether or not the query succeeds.
        Err(match queries.exists(queue).await {
            Ok(false) => QueueError::NoSuchQueue,
            Ok(true) | Err(_) => QueueError::NotAMember,
        })
    }

    /// Pauses or unpauses the interface if it is a member of the queue. Returns whether it
    /// is.
    ///
    /// Asterisk looks the member up at the moment of the change and ignores case, so the
    /// bridge needs to know nothing about the queue. If the queue has no such member,
    /// Asterisk neither changes nor logs anything (app_queue of Asterisk 13 to 23).
    ///
    /// # Errors
    /// [`QueueError`], except `NotAMember`.
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
