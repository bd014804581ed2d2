//! The organization's part of its PBX: which queues are its own, and what is
//! read of them. Every number is turned into a name on the PBX here and in
//! [`super::changes`], and nowhere else.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::errors::{ApiError, Code};
use super::refusal::{failed, reading, unknown_queue};
use crate::organizations::Organization;
use crate::queues::{Member, Pbx, Question, Queue, QueueCommands, Snapshot};

/// A queue with its number in the organization.
#[derive(Debug)]
pub(super) struct OwnQueue {
    pub(super) number: String,
    pub(super) queue: Arc<Queue>,
}

/// Queues and members that are written within a millisecond or so.
const LARGE: usize = 1000;

/// Whether queues with their members take long to write.
pub(super) fn is_large(queues: &[OwnQueue]) -> bool {
    let members = queues.iter().map(|own| own.queue.members.len());
    members.sum::<usize>() + queues.len() > LARGE
}

/// The number of a queue of the PBX, if it is one of the organization's and one of those
/// that are shown; `None` of these is all.
pub(super) fn shown_number(
    organization: &Organization,
    shown: Option<&[String]>,
    name: &str,
) -> Option<String> {
    let number = organization.queue_number(name)?;
    let is_shown = |shown: &[String]| shown.iter().any(|own| own.eq_ignore_ascii_case(&number));
    shown.is_none_or(is_shown).then_some(number)
}

/// How the PBX was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadState {
    /// When the oldest part was true.
    pub(super) as_of: SystemTime,
    /// Whether the link is down, so that this is what was last known.
    pub(super) stale: bool,
    /// Number of the latest change that it shows.
    pub(super) latest: u64,
}

/// Which parts of a queue are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Members,
    /// Callers and figures too.
    Full,
}

/// The organization's part of its PBX.
pub(super) struct Tenant<'a> {
    pub(super) organization: &'a Arc<Organization>,
    pub(super) pbx: &'a Pbx,
    /// When the answer must be complete.
    pub(super) deadline: Instant,
    pub(super) request_id: &'a str,
}

impl Tenant<'_> {
    /// Checks that the agent is one of the organization's phone numbers.
    ///
    /// # Errors
    /// `unknown_agent`.
    pub(super) fn check_agent(&self, agent: &str) -> Result<(), ApiError> {
        if self.organization.has_agent(agent) {
            return Ok(());
        }
        let message = format!("Agent {agent} is not one of the organization's phone numbers.");
        Err(ApiError::new(Code::UnknownAgent, message))
    }

    /// Opens an exchange with the PBX, once everything else is checked.
    pub(super) fn open(&self) -> Result<QueueCommands, ApiError> {
        let commands = self.pbx.commands(self.deadline, self.request_id);
        commands.map_err(failed)
    }

    /// Those of the organization's queues that the PBX has; only some of them,
    /// where they are named by their numbers.
    pub(super) async fn queues(
        &self,
        numbers: Option<&[String]>,
        fresh: bool,
        detail: Detail,
    ) -> Result<(Vec<OwnQueue>, ReadState), ApiError> {
        let names = self.names(numbers)?;
        let wanted = |name: &str| self.organization.queue_number(name).is_some();
        let question = Question {
            names: names.as_deref(),
            finds_new: numbers.is_some(),
            fresh,
            deadline: self.deadline,
            request_id: self.request_id,
        };
        let snapshot = match detail {
            Detail::Members => self.pbx.members(question, wanted).await,
            Detail::Full => self.pbx.queues(question, wanted).await,
        };
        let snapshot = snapshot.map_err(reading)?;
        let read = ReadState {
            as_of: snapshot.as_of,
            stale: snapshot.stale,
            latest: snapshot.latest,
        };
        Ok((self.own(snapshot), read))
    }

    pub(super) async fn memberships(
        &self,
        agent: &str,
        numbers: Option<&[String]>,
        fresh: bool,
    ) -> Result<(Vec<(OwnQueue, Arc<Member>)>, ReadState), ApiError> {
        let interface = self.organization.interface.expand(agent);
        let (queues, read) = self.queues(numbers, fresh, Detail::Members).await?;
        self.check_all_found(numbers, &queues)?;
        let memberships = queues.into_iter().filter_map(|own| {
            let member = Arc::clone(own.queue.member(&interface)?);
            Some((own, member))
        });
        Ok((memberships.collect(), read))
    }

    /// The PBX's names of the queues that are meant; `None` where that depends on
    /// which queues it has.
    pub(super) fn names(
        &self,
        numbers: Option<&[String]>,
    ) -> Result<Option<Vec<String>>, ApiError> {
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
            (None, Some(listed)) => Ok(Some(listed.into_iter().map(name).collect())),
            (None, None) => Ok(None),
        }
    }

    /// The organization's queues among those of a snapshot, in its order.
    fn own(&self, snapshot: Snapshot) -> Vec<OwnQueue> {
        let own = snapshot.queues.into_iter().filter_map(|queue| {
            let number = self.organization.queue_number(&queue.name)?;
            Some(OwnQueue { number, queue })
        });
        let mut own: Vec<OwnQueue> = own.collect();
        own.sort_by(|a, b| self.organization.queue_order(&a.number, &b.number));
        own
    }

    /// Queues that were named must all be there.
    pub(super) fn check_all_found(
        &self,
        numbers: Option<&[String]>,
        queues: &[OwnQueue],
    ) -> Result<(), ApiError> {
        let there = |number: &&String| {
            let mut queues = queues.iter();
            queues.any(|own| own.number.eq_ignore_ascii_case(number))
        };
        let mut named = numbers.unwrap_or_default().iter();
        match named.find(|number| !there(number)) {
            Some(missing) => Err(unknown_queue(missing)),
            None => Ok(()),
        }
    }
}
