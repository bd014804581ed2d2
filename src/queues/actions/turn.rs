//! Permission to make one change.

use tokio::time::Instant;

use super::change::QueueChange;
use crate::ami::Failure;
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::pace::Pace;
use crate::queues::queries::QueueQueries;

/// Permission to make one change. The only way to a change.
#[derive(Debug)]
pub(in crate::queues) struct Turn<'a> {
    pub(super) queries: &'a QueueQueries,
}

impl<'a> Turn<'a> {
    /// Waits until `owner` may make a change on a PBX with so many memberships.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] if the turn does not come before the deadline.
    pub(in crate::queues) async fn wait(
        pace: &Pace,
        owner: &str,
        memberships: usize,
        deadline: Instant,
        queries: &'a QueueQueries,
    ) -> Result<Self, Failure> {
        pace.wait_for_turn(owner, memberships, deadline).await?;
        Ok(Self { queries })
    }

    /// A turn to pause someone whom the mirror does not list as a member. It need not be
    /// waited for: Asterisk almost always refuses, which costs it no more than a ping.
    pub(in crate::queues) fn to_pause_nonmember(queries: &'a QueueQueries) -> Self {
        Self { queries }
    }

    /// Makes the change in the queue.
    ///
    /// # Errors
    /// [`QueueError`]. If a member was added and only the reason of its pause is
    /// uncertain, the error is [`Failure::Unknown`], too.
    pub(in crate::queues) async fn change(
        self,
        queue: &QueueName,
        change: &QueueChange,
    ) -> Result<(), QueueError> {
        match change {
            QueueChange::Pause {
                interface,
                paused,
                reason,
            } => {
                let reason = reason.as_deref();
                self.pause(queue, interface, *paused, reason).await
            }
            QueueChange::Add(member) => self.add(queue, member).await,
            QueueChange::Remove { interface } => self.remove(queue, interface).await,
        }
    }
}
