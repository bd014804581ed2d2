//! Adds a dynamic member.

use super::change::NewMember;
use super::turn::Turn;
use crate::ami::value::{HeaderValue, MemberValue};
use crate::ami::{Action, Failure, Reply};
use crate::queues::decode;
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;

impl Turn<'_> {
    pub(super) async fn add(self, queue: &QueueName, member: &NewMember) -> Result<(), QueueError> {
        let reason = member.reason.as_deref().filter(|_| member.paused);
        let state_interface = member.state_interface.as_deref();
        let action = Action::QueueAdd {
            queue: HeaderValue::new(queue)?,
            interface: MemberValue::new(&member.interface)?,
            name: MemberValue::new(&member.name)?,
            state_interface: state_interface.map(MemberValue::new).transpose()?,
            penalty: member.penalty,
            paused: member.paused,
            reason: reason.map(MemberValue::new).transpose()?,
        };
        self.send(action).await?;
        // Only Asterisk knows the state of the member's device, so the mirror does not show the
        // member until Asterisk has reported this state.
        let row = self.queries.status(Some(queue), Some(&member.interface));
        let row = row.await;
        let Some(reason) = reason else {
            return Ok(());
        };
        // The member was added. A later failure only leaves the pause reason uncertain, so the
        // error must not suggest that nothing was changed.
        let uncertain = |_| QueueError::Failure(Failure::Unknown);
        let row = row.map_err(uncertain)?;
        if !lacks_reason(&row, queue, &member.interface) {
            // Asterisk stored the reason, or someone else has changed the member.
            return Ok(());
        }
        // Asterisk before 20.12, 21.7 and 22.2 ignores the reason in a QueueAdd. A QueuePause
        // of the already paused member sets the reason.
        match self
            .pause(queue, &member.interface, true, Some(reason))
            .await
        {
            // Someone else removed the member after it was added.
            Err(QueueError::NotAMember | QueueError::NoSuchQueue) => Ok(()),
            paused => paused.map_err(uncertain),
        }
    }
}

/// Returns whether the reply lists the member as paused without a reason.
fn lacks_reason(reply: &Reply, queue: &QueueName, interface: &str) -> bool {
    let listed = decode::queue_list(reply);
    let mut queues = listed.queues.iter().filter(|listed| listed.name == *queue);
    let member = queues.find_map(|queue| queue.member(interface));
    member.is_some_and(|member| member.paused && member.paused_reason.is_empty())
}
