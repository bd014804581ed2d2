//! Answers, and those who wait for them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::action::Action;
use super::error::Failure;
use super::message::Message;
use super::refusal::Refusal;

/// A complete answer.
#[derive(Debug)]
pub struct Reply {
    /// The response itself.
    pub response: Message,
    /// The events of the list, where the action has one.
    pub rows: Vec<Message>,
    /// Whether these are as many rows as Asterisk says that it has listed.
    pub adds_up: bool,
    /// When the action was sent: what the rows say was true then or later.
    pub sent: Instant,
}

impl Reply {
    /// Why Asterisk refused the action; `None` if it carried the action out.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        Refusal::of(&self.response)
    }
}

/// What the one who asked receives.
pub(super) type ReplyResult = Result<Arc<Reply>, Failure>;

/// Someone who waits for an answer.
#[derive(Debug)]
pub(super) struct Waiter {
    /// Taken when it has been answered.
    reply: Option<oneshot::Sender<ReplyResult>>,
    pub(super) deadline: Instant,
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

impl Waiter {
    pub(super) fn new(
        reply: oneshot::Sender<ReplyResult>,
        deadline: Instant,
        permit: Option<Arc<OwnedSemaphorePermit>>,
    ) -> Self {
        Self {
            reply: Some(reply),
            deadline,
            _permit: permit,
        }
    }

    /// Whether it has not been answered yet.
    pub(super) fn waits(&self) -> bool {
        self.reply.is_some()
    }

    pub(super) fn answer(&mut self, reply: ReplyResult) {
        if let Some(sender) = self.reply.take() {
            // Whoever asked may be gone; then nobody wants to know.
            let _ = sender.send(reply);
        }
    }
}

/// An answer that is there as a whole, and those who are to be told.
#[derive(Debug)]
pub(crate) struct Complete {
    pub(crate) action: Action,
    pub(crate) answer: Arc<Reply>,
    /// False where everyone had given up before, so that rows are missing.
    pub(crate) whole: bool,
    pub(super) waiters: Vec<Waiter>,
}

impl Complete {
    /// Gives the answer to everyone who still waits for it.
    pub(crate) fn tell(mut self) {
        for waiter in &mut self.waiters {
            waiter.answer(Ok(Arc::clone(&self.answer)));
        }
    }
}
