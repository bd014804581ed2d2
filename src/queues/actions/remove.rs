//! Removes a dynamic member.

use super::turn::Turn;
use crate::ami::Action;
use crate::ami::value::{HeaderValue, MemberValue};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;

impl Turn<'_> {
    /// Removes the interface from the queue. Asterisk refuses to remove a static member.
    pub(in crate::queues) async fn remove(
        self,
        queue: &QueueName,
        interface: &str,
    ) -> Result<(), QueueError> {
        let action = Action::QueueRemove {
            queue: HeaderValue::new(queue)?,
            interface: MemberValue::new(interface)?,
        };
        self.send(action).await.map(drop)
    }
}
