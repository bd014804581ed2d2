//! From a command to what the PBX did.

use std::sync::Arc;

use futures_util::future::join_all;

use super::command::Command;
use super::error::{ApiError, Code};
use super::part::{Needs, OwnQueue, Part, Pbx, Seen, are_large};
use super::refusal::{changing, failed, unknown_queue};
use crate::organizations::Organization;
use crate::queues::{Change, CommandError, Member, NOT_NOW, NewMember, QueueCommands};

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
            let targets = match queues {
                Some(queues) => part.targets(queues),
                None => part.every_queue_of(agent).await?,
            };
            let change = Change::Pause {
                interface: organization.interface.expand(agent),
                paused: *paused,
                reason: reason.clone(),
            };
            part.change(agent, targets, &change).await
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
            part.change(agent, part.targets(queues), &change).await
        }
        Command::Remove { agent, queues } => {
            let change = Change::Remove {
                interface: organization.interface.expand(agent),
            };
            part.change(agent, part.targets(queues), &change).await
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

/// A queue that a change is meant for: its number, and its name on the PBX or
/// why it has none.
struct Target {
    number: String,
    name: Result<String, ApiError>,
}

impl Part<'_> {
    /// The targets of a change that names its queues.
    fn targets(&self, numbers: &[String]) -> Vec<Target> {
        let target = |number: &String| match self.organization.queue(number) {
            Some(number) => Target {
                name: Ok(self.organization.queue_name.expand(&number)),
                number,
            },
            None => Target {
                number: number.clone(),
                name: Err(unknown_queue(number)),
            },
        };
        numbers.iter().map(target).collect()
    }

    /// The targets of a change without queues: where the agent is a member, as far
    /// as is known. What Asterisk answers to each is what counts.
    async fn every_queue_of(&self, agent: &str) -> Result<Vec<Target>, ApiError> {
        let (memberships, seen) = self.memberships(agent, None, false).await?;
        if seen.stale {
            // Nothing can be changed now, and what was last known decides nothing.
            return Err(failed(NOT_NOW));
        }
        if memberships.is_empty() {
            let message = format!("Agent {agent} is a member of none of the queues.");
            return Err(ApiError::new(Code::NotAMember, message));
        }
        let targets = memberships.into_iter().map(|(own, _)| Target {
            number: own.number,
            name: Ok(own.queue.name.clone()),
        });
        Ok(targets.collect())
    }

    /// Makes a change in each queue, all at once. Where no target is one of the
    /// organization's queues, the PBX is not asked.
    async fn change(
        &self,
        agent: &str,
        targets: Vec<Target>,
        change: &Change,
    ) -> Result<Outcome, ApiError> {
        let pbx = self.pbx.open();
        let pbx = pbx.as_ref();
        let rows = targets
            .into_iter()
            .map(|Target { number, name }| async move {
                let result = match (name, pbx) {
                    (Ok(name), Ok(pbx)) => {
                        let done = self.change_one(pbx, &name, change).await;
                        done.map_err(|error| changing(agent, &number, error))
                    }
                    (Ok(_), Err(closed)) => Err(closed.clone()),
                    (Err(error), _) => Err(error),
                };
                Row {
                    queue: number,
                    result,
                }
            });
        Ok(Outcome::Changed(join_all(rows).await))
    }

    async fn change_one(
        &self,
        pbx: &QueueCommands,
        name: &str,
        change: &Change,
    ) -> Result<(), CommandError> {
        let Pbx { live, deadline, .. } = &self.pbx;
        live.turn(&self.organization.name, *deadline).await?;
        pbx.change(name, change).await
    }
}
