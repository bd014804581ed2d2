//! Complete replies, and their delivery to the callers that wait for them.

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
    /// The response itself.
    pub response: Message,
    /// The rows of the event list; empty if the action has none.
    pub rows: Vec<Message>,
    /// Whether as many rows arrived as Asterisk reports at the end of the list.
    pub is_complete: bool,
    /// When the action was sent. The rows show the state at this time or later.
    pub sent_at: Instant,
}

impl Reply {
    /// Why Asterisk refused the action; `None` if it carried the action out.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        Refusal::of(&self.response)
    }
}

/// The result of an action.
pub(super) type ReplyResult = Result<Arc<Reply>, Failure>;

/// A caller that waits for a reply.
#[derive(Debug)]
pub(super) struct Waiter {
    /// `None` once the waiter has its result.
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

    /// Sends the result to the caller, unless the caller has one already.
    pub(super) fn finish(&mut self, result: ReplyResult) {
        if let Some(sender) = self.sender.take() {
            // An error means that the caller has dropped its future.
            let _ = sender.send(result);
        }
    }
}

/// An action with its complete reply, not yet delivered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) action: Action,
    pub(crate) reply: Arc<Reply>,
    /// False if every caller had timed out before the reply was complete, because the rows
    /// were dropped then.
    pub(crate) has_all_rows: bool,
    pub(super) waiters: Vec<Waiter>,
}

impl Answered {
    /// Sends the reply to every caller that still waits.
    pub(crate) fn deliver(mut self) {
        for waiter in &mut self.waiters {
            waiter.finish(Ok(Arc::clone(&self.reply)));
        }
    }
}
