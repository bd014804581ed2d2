//! An account's view of the PBX.
//!
//! Only this type maps phone numbers to interfaces, and queue numbers to queue names on the PBX
//! and back, so no action can reach agents and queues that the account may not use.

use std::sync::Arc;

use tokio::time::Instant;

use super::errors::{ApiError, Code};
use super::refusal::{read_failed, request_failed, unknown_queue};
use crate::organizations::Account;
use crate::queues::{Member, Pbx, PbxRequest, Queue, QueueName, ReadRequest, RequestOrigin};

pub(super) use crate::queues::ReadState;

/// A queue with its number in the organization.
#[derive(Debug, Clone)]
pub(super) struct OwnQueue {
    pub(super) number: String,
    pub(super) queue: Arc<Queue>,
}

/// An agent's memberships in the account's queues.
#[derive(Debug)]
pub(super) struct AgentMemberships {
    pub(super) agent: String,
    pub(super) memberships: Vec<OwnMembership>,
}

/// A membership in one of the organization's queues.
#[derive(Debug)]
pub(super) struct OwnMembership {
    /// The queue's number in the organization.
    pub(super) number: String,
    /// The queue's name on the PBX.
    pub(super) queue: QueueName,
    pub(super) member: Arc<Member>,
}

/// The number of queues and members that can be rendered in about a millisecond.
const MAX_RENDERED_INLINE: usize = 1000;

/// Whether rendering the queues with their members takes more than about a millisecond.
pub(super) fn is_large(queues: &[OwnQueue]) -> bool {
    let members = queues.iter().map(|own| own.queue.members.len());
    members.sum::<usize>() + queues.len() > MAX_RENDERED_INLINE
}

/// Whether rendering the agents' memberships takes more than about a millisecond.
pub(super) fn has_many_memberships(agents: &[AgentMemberships]) -> bool {
    let memberships = agents.iter().map(|agent| agent.memberships.len());
    memberships.sum::<usize>() + agents.len() > MAX_RENDERED_INLINE
}

/// Returns the number of the queue with this name on the PBX, if the account may use the queue and
/// it is one of `shown`. `None` means that all of the account's queues are shown.
pub(super) fn shown_number(
    account: &Account,
    shown: Option<&[String]>,
    name: &str,
) -> Option<String> {
    let number = account.queue_number(name)?;
    let is_shown = |shown: &[String]| shown.iter().any(|own| own.eq_ignore_ascii_case(&number));
    shown.is_none_or(is_shown).then_some(number)
}

/// An account's view of the PBX, for one request.
pub(super) struct Tenant<'a> {
    /// The account that makes the request.
    pub(super) account: &'a Arc<Account>,
    pub(super) pbx: &'a Pbx,
    /// When the response must be complete.
    pub(super) deadline: Instant,
    pub(super) request_id: &'a str,
}

impl Tenant<'_> {
    /// Returns the agent's interface.
    ///
    /// # Errors
    /// Returns `unknown_agent` if the account may not use this phone number.
    pub(super) fn interface(&self, agent: &str) -> Result<String, ApiError> {
        if self.account.has_agent(agent) {
            return Ok(self.account.organization.interface.expand(agent));
        }
        let message = format!("Agent {agent} is not one of the organization's phone numbers.");
        Err(ApiError::new(Code::UnknownAgent, message))
    }

    /// Begins a request to the PBX. Called after all other checks.
    pub(super) fn begin(&self) -> Result<PbxRequest<'_>, ApiError> {
        let begun = self.pbx.begin(RequestOrigin {
            organization: &self.account.organization.name,
            user: &self.account.name,
            request_id: self.request_id,
            deadline: self.deadline,
        });
        begun.map_err(request_failed)
    }

    /// Reads the queues with these numbers, or all of the account's queues, with members, callers
    /// and statistics. Leaves out queues that the PBX does not have.
    ///
    /// # Errors
    /// Returns `unknown_queue` if a number is not one of the account's queues, or an error
    /// from the PBX.
    pub(super) async fn queues(
        &self,
        numbers: Option<&[String]>,
        fresh: bool,
    ) -> Result<(Vec<OwnQueue>, ReadState), ApiError> {
        let is_own = |name: &str| self.account.queue_number(name).is_some();
        let names = match (numbers, fresh) {
            (None, false) => None,
            _ => self.names(numbers)?,
        };
        let request = self.read_request(names.as_deref(), numbers.is_some(), fresh);
        let snapshot = self.pbx.queues(request, is_own).await;
        let snapshot = snapshot.map_err(read_failed)?;
        Ok((self.own(snapshot.queues), snapshot.read))
    }

    /// Reads the memberships of each agent in the queues with these numbers, or in all of the
    /// account's queues. All agents share one read.
    ///
    /// # Errors
    /// Returns `unknown_agent` if the account may not use an agent, `unknown_queue` if the
    /// account or the PBX does not have one of the named queues, or an error from the PBX.
    pub(super) async fn memberships(
        &self,
        agents: &[String],
        numbers: Option<&[String]>,
        fresh: bool,
    ) -> Result<(Vec<AgentMemberships>, ReadState), ApiError> {
        let interfaces = agents.iter().map(|agent| self.interface(agent));
        let interfaces: Vec<String> = interfaces.collect::<Result<_, _>>()?;
        // Without numbers, only the queues of the agents' memberships are compared with the
        // account's queues.
        let names = match (numbers, fresh) {
            (None, false) => None,
            _ => self.names(numbers)?,
        };
        let is_own = |name: &str| self.account.queue_number(name).is_some();
        let request = self.read_request(names.as_deref(), numbers.is_some(), fresh);
        let snapshot = self.pbx.memberships(request, &interfaces, is_own).await;
        let snapshot = snapshot.map_err(read_failed)?;
        if let (Some(missing), Some(numbers)) = (snapshot.missing, numbers) {
            return Err(unknown_queue(&numbers[missing]));
        }
        let agents = agents.iter().zip(snapshot.memberships);
        let agents = agents.map(|(agent, memberships)| AgentMemberships {
            agent: agent.clone(),
            memberships: self.own_memberships(memberships),
        });
        Ok((agents.collect(), snapshot.read))
    }

    fn read_request<'a>(
        &'a self,
        names: Option<&'a [String]>,
        looks_up_missing: bool,
        fresh: bool,
    ) -> ReadRequest<'a> {
        ReadRequest {
            names,
            cached_names: Some(&self.account.queue_names),
            looks_up_missing,
            fresh,
            deadline: self.deadline,
            request_id: self.request_id,
        }
    }

    /// Returns the PBX's names for the queues with these numbers, or for all of the account's
    /// queues. Returns `None` if the organization's queues are defined by patterns, because only
    /// the PBX knows their names.
    ///
    /// # Errors
    /// Returns `unknown_queue` if a number is not one of the account's queues.
    pub(super) fn names(
        &self,
        numbers: Option<&[String]>,
    ) -> Result<Option<Vec<String>>, ApiError> {
        let Some(numbers) = numbers else {
            let listed = self.account.exact_numbers();
            return Ok(
                listed.map(|numbers| numbers.into_iter().map(|n| self.pbx_name(n)).collect())
            );
        };
        let names = numbers.iter().map(|number| {
            let own = self.account.canonical_number(number);
            own.map(|own| self.pbx_name(&own))
                .ok_or_else(|| unknown_queue(number))
        });
        names.collect::<Result<_, _>>().map(Some)
    }

    /// Returns the PBX's name for the queue with this number.
    pub(super) fn pbx_name(&self, number: &str) -> String {
        self.account.organization.queue_name.expand(number)
    }

    /// Returns the account's queues among these, in the order of the configuration.
    fn own(&self, queues: Vec<Arc<Queue>>) -> Vec<OwnQueue> {
        let own = queues.into_iter().filter_map(|queue| {
            let number = self.account.queue_number(&queue.name)?;
            Some(OwnQueue { number, queue })
        });
        let own = own.collect();
        self.account.organization.sort(own, |own| &own.number)
    }

    /// Returns the memberships in the account's queues, in the order of the configuration.
    fn own_memberships(&self, memberships: Vec<(QueueName, Arc<Member>)>) -> Vec<OwnMembership> {
        let own = memberships.into_iter().filter_map(|(queue, member)| {
            let number = self.account.queue_number(&queue)?;
            Some(OwnMembership {
                number,
                queue,
                member,
            })
        });
        let own = own.collect();
        self.account.organization.sort(own, |own| &own.number)
    }

    /// Checks that the PBX has all queues named in the request.
    ///
    /// # Errors
    /// Returns `unknown_queue` if one of them is missing.
    pub(super) fn check_all_found(
        &self,
        numbers: Option<&[String]>,
        queues: &[OwnQueue],
    ) -> Result<(), ApiError> {
        let is_found = |number: &&String| {
            let mut queues = queues.iter();
            queues.any(|own| own.number.eq_ignore_ascii_case(number))
        };
        let mut named = numbers.unwrap_or_default().iter();
        match named.find(|number| !is_found(number)) {
            Some(missing) => Err(unknown_queue(missing)),
            None => Ok(()),
        }
    }
}
