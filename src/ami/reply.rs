//! Complete replies, and their delivery to waiting callers.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::action::Action;
use super::error::Failure;
use super::message::Message;
use super::refusal::Refusal;

/// Asterisk's complete reply to an action.
#[derive(Debug)]
pub struct Reply {
    /// The response, which is the first message of the reply.
    pub response: Message,
    /// The rows of the event list. Empty if Asterisk sent no list.
    pub rows: Vec<Message>,
    /// Whether the number of received rows matches the number that Asterisk reports at the
    /// end of the list.
    pub is_complete: bool,
    /// The time at which the action was sent. The rows show the state at this time or later.
    pub sent_at: Instant,
}

impl Reply {
    /// Returns the reason Asterisk refused the action, or `None` if the action succeeded.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        Refusal::of(&self.response)
    }
}

/// The result of an action.
pub(super) type ReplyResult = Result<Arc<Reply>, Failure>;

/// A caller that is waiting for a reply.
#[derive(Debug)]
pub(super) struct Waiter {
    /// `None` once the result has been sent.
    sender: Option<oneshot::Sender<ReplyResult>>,
    pub(super) deadline: Instant,
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

impl Waiter {
    pub(super) fn new(
        sender: oneshot::Sender<ReplyResult>,
        deadline: Instant,
        permit: Option<Arc<OwnedSemaphorePermit>>,
    ) -> Self {
        Self {
            sender: Some(sender),
            deadline,
            _permit: permit,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.sender.is_some()
    }

    /// Sends the result to the caller, unless the caller already has a result.
    pub(super) fn finish(&mut self, result: ReplyResult) {
        if let Some(sender) = self.sender.take() {
            // An error means that the caller has dropped its future.
            let _ = sender.send(result);
        }
    }
}

/// An action and its complete reply, which the callers have not received yet.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) action: Action,
    pub(crate) reply: Arc<Reply>,
    /// False if rows may have been dropped, because every caller had timed out before the
    /// reply was complete.
    pub(crate) has_all_rows: bool,
    pub(super) waiters: Vec<Waiter>,
}

impl Answered {
    /// Sends the reply to every caller that is still waiting.
    pub(crate) fn deliver(mut self) {
        for waiter in &mut self.waiters {
            waiter.finish(Ok(Arc::clone(&self.reply)));
        }
    }
}
