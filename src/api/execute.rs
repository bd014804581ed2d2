//! From a command to what the PBX did: every number is turned into a name of
//! the organization here, and nowhere else.

use std::time::SystemTime;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::command::Command;
use super::error::{ApiError, Code};
use super::refusal::{before_a_change, changing, failed, reading, unknown_queue};
use crate::ami::Client;
use crate::organizations::Organization;
use crate::queues::{Change, Member, NewMember, Queue, QueueCommands, Snapshot};

/// What came of a command.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A change, queue by queue.
    Changed(Vec<Row>),
    /// Queues of the organization.
    Queues(Vec<OwnQueue>, SystemTime),
    /// An agent's memberships, in queues of the organization.
    Memberships(Vec<(OwnQueue, Member)>, SystemTime),
}

/// A queue of a change.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) queue: String,
    pub(super) result: Result<(), ApiError>,
}

/// A queue with its number in the organization.
#[derive(Debug)]
pub(super) struct OwnQueue {
    pub(super) number: String,
    pub(super) queue: Queue,
}

/// Up to so many queues are asked for one by one; beyond, one question about
/// all queues of the PBX is the lesser burden.
const ASK_ONE_BY_ONE: usize = 16;

/// A way to the organization's PBX, to be opened when all else is checked.
pub(super) struct Pbx<'a> {
    pub(super) client: &'a Client,
    pub(super) deadline: Instant,
    pub(super) request_id: &'a str,
}

impl Pbx<'_> {
    fn open(&self) -> Result<QueueCommands, ApiError> {
        let exchange = self.client.begin(self.deadline, self.request_id);
        exchange.map(QueueCommands::new).map_err(failed)
    }
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
        Command::ShowQueue { queues } | Command::ShowQueueStat { queues } => {
            let (queues, as_of) = part.queues(queues.as_deref()).await?;
            Ok(Outcome::Queues(queues, as_of))
        }
        Command::ShowState { agent, queues } => {
            let (queues, as_of) = part.memberships(agent, queues.as_deref()).await?;
            Ok(Outcome::Memberships(queues, as_of))
        }
    }
}

/// A queue that a change is meant for: its number, and its name on the PBX or
/// why it has none.
struct Target {
    number: String,
    name: Result<String, ApiError>,
}

/// The organization's part of its PBX.
struct Part<'a> {
    organization: &'a Organization,
    pbx: Pbx<'a>,
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

    /// The targets of a change without queues: where the agent is a member.
    async fn every_queue_of(&self, agent: &str) -> Result<Vec<Target>, ApiError> {
        let memberships = self.memberships(agent, None).await;
        let (memberships, _) = memberships.map_err(before_a_change)?;
        if memberships.is_empty() {
            let message = format!("Agent {agent} is a member of none of the queues.");
            return Err(ApiError::new(Code::NotAMember, message));
        }
        let targets = memberships.into_iter().map(|(own, _)| Target {
            number: own.number,
            name: Ok(own.queue.name),
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
        let pbx = if targets.iter().any(|target| target.name.is_ok()) {
            Some(self.pbx.open()?)
        } else {
            None
        };
        let pbx = pbx.as_ref();
        let rows = targets
            .into_iter()
            .map(|Target { number, name }| async move {
                let result = match (name, pbx) {
                    (Ok(name), Some(pbx)) => pbx
                        .change(&name, change)
                        .await
                        .map_err(|error| changing(agent, &number, error)),
                    (Ok(_), None) => Err(unknown_queue(&number)),
                    (Err(error), _) => Err(error),
                };
                Row {
                    queue: number,
                    result,
                }
            });
        Ok(Outcome::Changed(join_all(rows).await))
    }

    async fn queues(
        &self,
        numbers: Option<&[String]>,
    ) -> Result<(Vec<OwnQueue>, SystemTime), ApiError> {
        let names = self.names(numbers)?;
        let pbx = self.pbx.open()?;
        let wanted = |name: &str| self.organization.queue_number(name).is_some();
        let snapshot = pbx.queues(names.as_deref(), wanted).await;
        self.own(numbers, snapshot.map_err(reading)?)
    }

    async fn memberships(
        &self,
        agent: &str,
        numbers: Option<&[String]>,
    ) -> Result<(Vec<(OwnQueue, Member)>, SystemTime), ApiError> {
        let interface = self.organization.interface.expand(agent);
        let (queues, as_of) = self.queues(numbers).await?;
        let memberships = queues.into_iter().filter_map(|mut own| {
            let members = std::mem::take(&mut own.queue.members);
            let member = members.into_iter().find(|member| member.is(&interface))?;
            Some((own, member))
        });
        Ok((memberships.collect(), as_of))
    }

    /// The PBX's names of the queues that are meant; `None` where all queues of
    /// the PBX have to be looked at.
    fn names(&self, numbers: Option<&[String]>) -> Result<Option<Vec<String>>, ApiError> {
        let name = |number: &str| self.organization.queue_name.expand(number);
        match (numbers, self.organization.listed_queues()) {
            (Some(numbers), _) => {
                let names = numbers.iter().map(|number| {
                    let own = self.organization.queue(number);
                    own.map(|own| name(&own))
                        .ok_or_else(|| unknown_queue(number))
                });
                names.collect::<Result<_, _>>().map(Some)
            }
            (None, Some(listed)) if listed.len() <= ASK_ONE_BY_ONE => {
                Ok(Some(listed.into_iter().map(name).collect()))
            }
            (None, _) => Ok(None),
        }
    }

    /// The organization's queues among those of a snapshot. Those that were
    /// named must all be there.
    fn own(
        &self,
        numbers: Option<&[String]>,
        snapshot: Snapshot,
    ) -> Result<(Vec<OwnQueue>, SystemTime), ApiError> {
        let Snapshot { queues, as_of } = snapshot;
        let mut own: Vec<OwnQueue> = queues
            .into_iter()
            .filter_map(|queue| {
                let number = self.organization.queue_number(&queue.name)?;
                Some(OwnQueue { number, queue })
            })
            .collect();
        let there = |number: &&String| {
            let mut own = own.iter();
            own.any(|queue| queue.number.eq_ignore_ascii_case(number))
        };
        let mut named = numbers.unwrap_or_default().iter();
        if let Some(missing) = named.find(|number| !there(number)) {
            return Err(unknown_queue(missing));
        }
        own.sort_by(|a, b| self.organization.queue_order(&a.number, &b.number));
        Ok((own, as_of))
    }
}
