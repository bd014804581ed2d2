//! Sets the penalty of a member.

use crate::ami::Action;
use crate::ami::value::{HeaderValue, MemberValue};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::pace::Permit;
use crate::queues::queries::QueueQueries;

/// Sets the penalty of a member, without waiting for a turn. Only `check --probe` does so,
/// once, with the penalty that the member has.
///
/// # Errors
/// [`QueueError`]
pub async fn set_penalty(
    queries: &QueueQueries,
    queue: &QueueName,
    interface: &str,
    penalty: i64,
) -> Result<(), QueueError> {
    let action = Action::QueuePenalty {
        queue: HeaderValue::new(queue)?,
        interface: MemberValue::new(interface)?,
        penalty,
    };
    let permit = Permit::without_waiting();
    queries.send_change(&permit, action).await.map(drop)
}
