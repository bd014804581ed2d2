//! Makes a change.

use super::change::QueueChange;
use super::turn::Turn;
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;

impl Turn<'_> {
    /// Makes the change in the queue.
    ///
    /// # Errors
    /// [`QueueError`]. If a member was added and only the reason of its pause is
    /// uncertain, the error is [`Failure::Unknown`](crate::ami::Failure::Unknown), too.
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
