//! From a command to what the PBX did.

use std::sync::Arc;

use super::command::Command;
use super::error::{ApiError, Code};
use super::tenant::{Needs, OwnQueue, Seen, Tenant, are_large};
use crate::queues::{Member, NewMember, QueueChange};

/// What came of a command.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A change, queue by queue.
    Changed(Vec<Row>),
    /// Queues of the organization.
    Queues(Vec<OwnQueue>, Seen),
    /// An agent's memberships, in queues of the organization.
    Memberships(Vec<(OwnQueue, Arc<Member>)>, Seen),
}

impl Outcome {
    /// Whether it takes long to write.
    pub(super) fn is_large(&self) -> bool {
        match self {
            Self::Queues(queues, _) => are_large(queues),
            Self::Changed(_) | Self::Memberships(..) => false,
        }
    }
}

/// A queue of a change.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) queue: String,
    pub(super) result: Result<(), ApiError>,
}

/// Does what the command says, within the organization.
pub(super) async fn execute(command: &Command, tenant: Tenant<'_>) -> Result<Outcome, ApiError> {
    let organization = tenant.organization;
    if let Some(agent) = command.agent()
        && !organization.has_agent(agent)
    {
        let message = format!("Agent {agent} is not one of the organization's phone numbers.");
        return Err(ApiError::new(Code::UnknownAgent, message));
    }
    match command {
        Command::Pause {
            agent,
            queues,
            paused,
            reason,
        } => {
            let change = QueueChange::Pause {
                interface: organization.interface.expand(agent),
                paused: *paused,
                reason: reason.clone(),
            };
            let rows = match queues {
                Some(queues) => tenant.change(agent, queues, &change).await,
                None => {
                    let everywhere = tenant.pause_everywhere(agent, *paused, reason.as_deref());
                    everywhere.await?
                }
            };
            Ok(Outcome::Changed(rows))
        }
        Command::Add {
            agent,
            queues,
            alias,
            penalty,
            paused,
            reason,
        } => {
            let state_interface = organization.state_interface.as_ref();
            let change = QueueChange::Add(NewMember {
                interface: organization.interface.expand(agent),
                name: alias.clone(),
                state_interface: state_interface.map(|template| template.expand(agent)),
                penalty: *penalty,
                paused: *paused,
                reason: reason.clone(),
            });
            Ok(Outcome::Changed(
                tenant.change(agent, queues, &change).await,
            ))
        }
        Command::Remove { agent, queues } => {
            let change = QueueChange::Remove {
                interface: organization.interface.expand(agent),
            };
            Ok(Outcome::Changed(
                tenant.change(agent, queues, &change).await,
            ))
        }
        Command::ShowQueue { queues, fresh } | Command::ShowQueueStat { queues, fresh } => {
            let numbers = queues.as_deref();
            let (queues, seen) = tenant.queues(numbers, *fresh, Needs::All).await?;
            tenant.all_there(numbers, &queues)?;
            Ok(Outcome::Queues(queues, seen))
        }
        Command::ShowState {
            agent,
            queues,
            fresh,
        } => {
            let (queues, seen) = tenant.memberships(agent, queues.as_deref(), *fresh).await?;
            Ok(Outcome::Memberships(queues, seen))
        }
    }
}
