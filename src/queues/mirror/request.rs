//! Queries and changes that an organization's request sends to a PBX.

use tokio::time::Instant;

use super::pbx::Pbx;
use super::state::Mirror;
use crate::ami::Failure;
use crate::queues::actions::{QueueChange, Turn};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::queries::{QueueNames, QueueQueries};

/// The result of pausing or unpausing an interface that may not be a member of the queue.
#[derive(Debug)]
pub struct PauseAttempt {
    /// Whether the mirror listed the interface as a member before the attempt.
    pub is_listed: bool,
    /// True if Asterisk made the change, false if the interface is not a member.
    pub result: Result<bool, QueueError>,
}

/// An exchange with a PBX on behalf of one organization.
#[derive(Debug)]
pub struct PbxRequest<'a> {
    pbx: &'a Pbx,
    queries: QueueQueries,
    /// The organization whose turns the changes use.
    owner: &'a str,
    deadline: Instant,
}

impl Pbx {
    /// Begins a request. `owner` is the organization whose turns the request's changes use.
    ///
    /// # Errors
    /// The errors of [`crate::ami::Client::begin`].
    pub fn begin<'a>(
        &'a self,
        owner: &'a str,
        deadline: Instant,
        request_id: &str,
    ) -> Result<PbxRequest<'a>, Failure> {
        Ok(PbxRequest {
            pbx: self,
            queries: self.begin_queries(deadline, request_id)?,
            owner,
            deadline,
        })
    }
}

impl PbxRequest<'_> {
    /// Queries the names of all queues on the PBX.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk refuses or does not answer the query.
    pub async fn names(&self) -> Result<QueueNames, QueueError> {
        self.queries.names().await
    }

    /// Returns Asterisk's spelling of these queue names. Omits queues that the PBX does not
    /// have.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk refuses or does not answer a query.
    pub async fn look_up(&self, names: &[String]) -> Result<Vec<QueueName>, QueueError> {
        self.pbx.look_up(names, &self.queries).await
    }

    /// Waits for the organization's turn and makes a change. The next read includes the change.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk refuses or does not answer the change.
    /// [`Failure::Unknown`] can also mean that a member was added and only its pause reason is
    /// uncertain.
    pub async fn change(&self, queue: &QueueName, change: &QueueChange) -> Result<(), QueueError> {
        self.turn().await?.change(queue, change).await?;
        if let QueueChange::Pause { interface, .. } = change
            && !self.pbx.is_member(queue, interface)
        {
            self.refresh(queue).await;
        }
        Ok(())
    }

    /// Pauses or unpauses the interface if it is a member of the queue. Waits for the
    /// organization's turn only if the mirror lists the member.
    pub async fn pause_if_member(
        &self,
        queue: &QueueName,
        interface: &str,
        paused: bool,
        reason: Option<&str>,
    ) -> PauseAttempt {
        let is_listed = self.pbx.is_member(queue, interface);
        let result = async {
            let turn = if is_listed {
                self.turn().await?
            } else {
                Turn::to_pause_nonmember(&self.queries)
            };
            let is_member = turn.pause_if_member(queue, interface, paused, reason);
            let is_member = is_member.await?;
            if is_member && !is_listed {
                self.refresh(queue).await;
            }
            Ok(is_member)
        };
        PauseAttempt {
            result: result.await,
            is_listed,
        }
    }

    async fn turn(&self) -> Result<Turn<'_>, Failure> {
        let memberships = self.pbx.store.read(Mirror::count_memberships);
        let pace = &self.pbx.pace;
        Turn::wait(pace, self.owner, memberships, self.deadline, &self.queries).await
    }

    /// Refreshes a queue after a change to a member that the mirror did not list, so that the
    /// next read includes the member.
    async fn refresh(&self, queue: &QueueName) {
        // The mirror applies the reply before `status` returns. If there is no reply, a later
        // refresh lists the queue.
        let _ = self.queries.status(Some(queue), None).await;
    }
}
