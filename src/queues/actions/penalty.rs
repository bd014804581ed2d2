//! Sets a member's penalty.

use crate::ami::Action;
use crate::ami::value::{HeaderValue, MemberValue};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::pace::Permit;
use crate::queues::queries::QueueQueries;

/// Sets a member's penalty without waiting for a turn. Only `check --probe` calls this
/// function, once, and with the member's current penalty.
///
/// # Errors
/// A [`QueueError`] if Asterisk refuses or does not answer the change.
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
