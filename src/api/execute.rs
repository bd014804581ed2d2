//! From a command to what the PBX did.

use std::sync::Arc;

use super::command::Command;
use super::error::{ApiError, Code};
use super::part::{Needs, OwnQueue, Part, Pbx, Seen, are_large};
use crate::organizations::Organization;
use crate::queues::{Change, Member, NewMember};

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
pub(super) async fn execute(
    command: &Command,
    organization: &Organization,
    pbx: Pbx<'_>,
) -> Result<Outcome, ApiError> {
    if let Some(agent) = command.agent()
        && !organization.has_agent(agent)
    {
        let message = format!("Agent {agent} is not one of the organization's phone numbers.");
        return Err(ApiError::new(Code::UnknownAgent, message));
    }
    let part = Part { organization, pbx };
    match command {
        Command::Pause {
            agent,
            queues,
            paused,
            reason,
        } => {
            let change = Change::Pause {
                interface: organization.interface.expand(agent),
                paused: *paused,
                reason: reason.clone(),
            };
            let rows = match queues {
                Some(queues) => part.change(agent, queues, &change).await,
                None => {
                    let everywhere = part.pause_everywhere(agent, *paused, reason.as_deref());
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
            let change = Change::Add(NewMember {
                interface: organization.interface.expand(agent),
                name: alias.clone(),
                state_interface: state_interface.map(|template| template.expand(agent)),
                penalty: *penalty,
                paused: *paused,
                reason: reason.clone(),
            });
            Ok(Outcome::Changed(part.change(agent, queues, &change).await))
        }
        Command::Remove { agent, queues } => {
            let change = Change::Remove {
                interface: organization.interface.expand(agent),
            };
            Ok(Outcome::Changed(part.change(agent, queues, &change).await))
        }
        Command::ShowQueue { queues, fresh } | Command::ShowQueueStat { queues, fresh } => {
            let numbers = queues.as_deref();
            let (queues, seen) = part.queues(numbers, *fresh, Needs::All).await?;
            part.all_there(numbers, &queues)?;
            Ok(Outcome::Queues(queues, seen))
        }
        Command::ShowState {
            agent,
            queues,
            fresh,
        } => {
            let (queues, seen) = part.memberships(agent, queues.as_deref(), *fresh).await?;
            Ok(Outcome::Memberships(queues, seen))
        }
    }
}
