//! Dispatches a change to the method that makes it.

use super::change::QueueChange;
use super::turn::Turn;
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;

impl Turn<'_> {
    /// Makes a change to the queue.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk refuses or does not answer the change. `Failure::Unknown`
    /// can also mean that a member was added and only its pause reason is uncertain.
    pub(in crate::queues) async fn change(
        self,
        queue: &QueueName,
        change: &QueueChange,
    ) -> Result<(), QueueError> {
        match change {
            QueueChange::Pause(pause) => {
                let reason = pause.reason.as_deref();
                self.pause(queue, &pause.interface, pause.paused, reason)
                    .await
            }
            QueueChange::Add(member) => self.add(queue, member).await,
            QueueChange::Remove { interface } => self.remove(queue, interface).await,
        }
    }
}
