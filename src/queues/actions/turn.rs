//! Permission to make one change.

use std::sync::Arc;

use tokio::time::Instant;

use crate::ami::{Action, Failure, Reply};
use crate::queues::error::QueueError;
use crate::queues::pace::{Pace, Permit, TurnOwner};
use crate::queues::queries::QueueQueries;

/// Permission to make one change. Changes are methods of this type.
#[derive(Debug)]
pub(in crate::queues) struct Turn<'a> {
    pub(super) queries: &'a QueueQueries,
    permit: Permit,
}

impl<'a> Turn<'a> {
    /// Waits until `owner` may make a change on a PBX with this many memberships.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] if the owner's turn does not come before the deadline.
    pub(in crate::queues) async fn wait(
        pace: &Pace,
        owner: TurnOwner<'_>,
        memberships: usize,
        deadline: Instant,
        queries: &'a QueueQueries,
    ) -> Result<Self, Failure> {
        let permit = pace.wait_for_turn(owner, memberships, deadline).await?;
        Ok(Self { queries, permit })
    }

    /// Returns a turn without waiting, for a pause or removal of an interface that the mirror does
    /// not list as a member. Asterisk almost always refuses such a change, and a refusal costs it
    /// no more than a ping.
    pub(in crate::queues) fn to_change_nonmember(queries: &'a QueueQueries) -> Self {
        Self {
            queries,
            permit: Permit::without_waiting(),
        }
    }

    /// Sends the change's action and waits for the reply.
    pub(super) async fn send(&self, action: Action) -> Result<Arc<Reply>, QueueError> {
        self.queries.send_change(&self.permit, action).await
    }
}
