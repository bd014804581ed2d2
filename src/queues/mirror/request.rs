//! A request to a PBX: its changes and queries, up to its deadline.

use tokio::time::Instant;

use super::pbx::Pbx;
use super::state::Mirror;
use crate::ami::Failure;
use crate::queues::actions::{QueueChange, Turn};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::queries::{QueueNames, QueueQueries};

/// The pause of an interface in a queue, whether or not it is a member there.
#[derive(Debug)]
pub struct PauseAttempt {
    /// Whether the mirror listed the interface as a member.
    pub is_listed: bool,
    /// Whether Asterisk found the member, and so paused it.
    pub result: Result<bool, QueueError>,
}

/// An exchange with a PBX on behalf of one organization.
#[derive(Debug)]
pub struct PbxRequest<'a> {
    pbx: &'a Pbx,
    queries: QueueQueries,
    /// The organization whose turns the changes take.
    owner: &'a str,
    deadline: Instant,
}

impl Pbx {
    /// Begins a request. `owner` is the organization whose turns its changes take.
    ///
    /// # Errors
    /// The same as [`crate::ami::Client::begin`].
    pub fn begin<'a>(
        &'a self,
        owner: &'a str,
        deadline: Instant,
        request_id: &str,
    ) -> Result<PbxRequest<'a>, Failure> {
        Ok(PbxRequest {
            pbx: self,
            queries: self.queries(deadline, request_id)?,
            owner,
            deadline,
        })
    }
}

impl PbxRequest<'_> {
    /// The names of all queues of the PBX, as Asterisk lists them now.
    ///
    /// # Errors
    /// [`QueueError`]
    pub async fn names(&self) -> Result<QueueNames, QueueError> {
        self.queries.names().await
    }

    /// Asterisk's spelling of these queue names, without those that the PBX does not have.
    ///
    /// # Errors
    /// [`QueueError`]
    pub async fn look_up(&self, names: &[String]) -> Result<Vec<QueueName>, QueueError> {
        self.pbx.look_up(names, &self.queries).await
    }

    /// Makes a change when it is the organization's turn. The next read shows it.
    ///
    /// # Errors
    /// [`QueueError`]. If a member was added and only the reason of its pause is
    /// uncertain, the error is [`Failure::Unknown`], too.
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

    /// Refreshes a queue after the pause of a member that the mirror did not list, so that
    /// the next read shows it.
    async fn refresh(&self, queue: &QueueName) {
        // The mirror applies the reply before this returns. If there is no reply, the
        // mirror queries the queue again.
        let _ = self.queries.status(Some(queue), None).await;
    }
}
