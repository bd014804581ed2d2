//! Changes to an interface that may not be a member of the queue.

use super::request::PbxRequest;
use crate::queues::actions::{ChangeResult, PauseChange, QueueChange, Turn};
use crate::queues::error::QueueError;
use crate::queues::model::Membership;
use crate::queues::name::QueueName;

/// The result of a change to an interface that may not be a member of the queue.
#[derive(Debug)]
pub struct ChangeAttempt {
    /// Whether the mirror listed the interface as a member before the attempt.
    pub is_listed: bool,
    /// `None` if the interface is not a member.
    pub result: Result<Option<ChangeResult>, QueueError>,
}

impl PbxRequest<'_> {
    /// Pauses or unpauses the interface if it is a member of the queue. Waits for the request's
    /// turn only if the mirror lists the member. A change that depends on the member needs
    /// [`Self::look_up_memberships`] first.
    pub async fn pause_if_member(&self, queue: &QueueName, pause: &PauseChange) -> ChangeAttempt {
        let is_listed = self.pbx.is_member(queue, &pause.interface);
        ChangeAttempt {
            is_listed,
            result: no_member_as_none(self.try_pause(queue, pause, is_listed).await),
        }
    }

    async fn try_pause(
        &self,
        queue: &QueueName,
        pause: &PauseChange,
        is_listed: bool,
    ) -> Result<ChangeResult, QueueError> {
        if !is_listed && pause.depends_on_member() {
            return Err(QueueError::NotAMember);
        }
        let _slot = self.slot().await?;
        if is_listed {
            let change = QueueChange::Pause(pause.clone());
            return self.send_in_turn(queue, &change).await;
        }
        let turn = Turn::to_change_nonmember(&self.queries);
        let reason = pause.reason.as_deref();
        let is_member = turn.pause_if_member(queue, &pause.interface, pause.paused, reason);
        if !is_member.await? {
            return Err(QueueError::NotAMember);
        }
        self.refresh(queue).await;
        Ok(ChangeResult::Made)
    }

    /// Removes the interface if it is a dynamic member of the queue. Needs
    /// [`Self::look_up_memberships`] first. Sends nothing if the member is static: with
    /// `negative_penalty_invalid` in `queues.conf`, Asterisk would remove a realtime member.
    /// Waits for the request's turn only if the mirror lists the member.
    pub async fn remove_if_member(&self, queue: &QueueName, interface: &str) -> ChangeAttempt {
        let membership = self.pbx.membership(queue, interface);
        let result = self.try_remove(queue, interface, membership).await;
        ChangeAttempt {
            is_listed: membership.is_some(),
            result: no_member_as_none(result),
        }
    }

    async fn try_remove(
        &self,
        queue: &QueueName,
        interface: &str,
        membership: Option<Membership>,
    ) -> Result<ChangeResult, QueueError> {
        if membership == Some(Membership::Static) {
            return Err(QueueError::StaticMember);
        }
        let _slot = self.slot().await?;
        if membership.is_some() {
            let interface = interface.to_owned();
            let change = QueueChange::Remove { interface };
            return self.send_in_turn(queue, &change).await;
        }
        let turn = Turn::to_change_nonmember(&self.queries);
        turn.remove(queue, interface).await?;
        Ok(ChangeResult::Made)
    }
}

fn no_member_as_none(
    result: Result<ChangeResult, QueueError>,
) -> Result<Option<ChangeResult>, QueueError> {
    match result {
        Ok(result) => Ok(Some(result)),
        Err(QueueError::NotAMember | QueueError::NoSuchQueue) => Ok(None),
        Err(error) => Err(error),
    }
}
