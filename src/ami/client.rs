//! The handle through which the rest of the program sends actions over a link. It knows
//! nothing about sockets or retries.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::action::Action;
use super::error::Failure;
use super::login::Peer;
use super::pending::Request;
use super::reply::Reply;

/// The state of a link.
#[derive(Debug, Clone)]
pub enum LinkState {
    /// The session has ended, or a connection attempt has failed.
    Down {
        /// When the next connection attempt begins.
        next_attempt: Instant,
        /// Why the link is down, as a message for the operator.
        reason: String,
    },
    /// The first connection attempt is in progress.
    Connecting,
    /// The bridge is logged in, but Asterisk does not know the queue actions yet.
    Booting,
    /// The link is ready for requests.
    Ready(Peer),
    /// Asterisk has announced its shutdown.
    ShuttingDown,
}

/// An update that the supervisor publishes: the link's state and, while the link is
/// ready, the sender for requests.
#[derive(Debug, Clone)]
pub(crate) struct LinkUpdate {
    pub(crate) state: LinkState,
    /// Sends requests to the session; `None` unless the link is ready.
    pub(crate) requests: Option<mpsc::UnboundedSender<Request>>,
}

/// Sends actions over the link to one PBX. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    name: Arc<str>,
    link: watch::Receiver<LinkUpdate>,
    permits: Arc<Semaphore>,
    max_pending: usize,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("name", &self.name).finish()
    }
}

impl Client {
    pub(crate) fn new(
        name: Arc<str>,
        link: watch::Receiver<LinkUpdate>,
        max_pending: usize,
    ) -> Self {
        Self {
            name,
            link,
            permits: Arc::new(Semaphore::new(max_pending)),
            max_pending,
        }
    }

    /// Returns the PBX's name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of pending exchanges and the limit (`max_pending`).
    #[must_use]
    pub fn pending(&self) -> (usize, usize) {
        let free = self.permits.available_permits();
        (self.max_pending.saturating_sub(free), self.max_pending)
    }

    /// Returns the link's current state.
    #[must_use]
    pub fn state(&self) -> LinkState {
        if !self.is_supervised() {
            // The supervisor has ended, so the last published state is out of date.
            return LinkState::Down {
                next_attempt: Instant::now(),
                reason: "the task that supervises this link has ended".to_owned(),
            };
        }
        self.link.borrow().state.clone()
    }

    /// Returns whether the task that reopens the link is still running.
    #[must_use]
    pub fn is_supervised(&self) -> bool {
        self.link.has_changed().is_ok()
    }

    /// Waits until the link's state satisfies `condition`, and returns that state. If the
    /// link is no longer supervised, returns immediately.
    pub async fn wait_for(&mut self, mut condition: impl FnMut(&LinkState) -> bool) -> LinkState {
        // An error means that the supervisor has ended.
        let _ = self.link.wait_for(|link| condition(&link.state)).await;
        self.state()
    }

    /// Waits until the link is no longer connecting or booting, for `limit` at most. Returns the
    /// link's state then.
    pub async fn wait_until_settled(&mut self, limit: Duration) -> LinkState {
        let is_settled =
            |state: &LinkState| !matches!(state, LinkState::Connecting | LinkState::Booting);
        let state = timeout(limit, self.wait_for(is_settled)).await;
        state.unwrap_or_else(|_| self.state())
    }

    /// Begins an exchange for an API request. The exchange can send any number of actions
    /// until `deadline`. `request_id` appears in the log.
    ///
    /// # Errors
    /// Returns [`Failure::Unavailable`] if the link is not ready, and [`Failure::Overloaded`]
    /// if `max_pending` exchanges are already pending.
    pub fn begin(&self, deadline: Instant, request_id: &str) -> Result<Exchange, Failure> {
        self.open(deadline, request_id, Some(&self.permits))
    }

    /// Begins an exchange for the bridge itself. The exchange does not count against
    /// `max_pending`. `purpose` appears in the log as the request id.
    ///
    /// # Errors
    /// Returns [`Failure::Unavailable`] if the link is not ready.
    pub fn begin_internal(&self, deadline: Instant, purpose: &str) -> Result<Exchange, Failure> {
        self.open(deadline, purpose, None)
    }

    fn open(
        &self,
        deadline: Instant,
        request_id: &str,
        permits: Option<&Arc<Semaphore>>,
    ) -> Result<Exchange, Failure> {
        let link = self.link.borrow();
        let Some(requests) = &link.requests else {
            let retry_after = match link.state {
                LinkState::Down { next_attempt, .. } => {
                    next_attempt.saturating_duration_since(Instant::now())
                }
                _ => Duration::from_secs(1),
            };
            return Err(Failure::Unavailable { retry_after });
        };
        let permit = permits.map(|permits| Arc::clone(permits).try_acquire_owned());
        let permit = permit.transpose().map_err(|_| Failure::Overloaded)?;
        let may_write = matches!(&link.state, LinkState::Ready(peer) if peer.may_write);
        Ok(Exchange {
            requests: requests.clone(),
            deadline,
            request_id: request_id.into(),
            permit: permit.map(Arc::new),
            may_write,
        })
    }
}

tokio::task_local! {
    /// Set to true before the current task sends its first change.
    static CHANGE_SENT: Arc<AtomicBool>;
}

/// Runs `request`, and sets `change_sent` before `request` sends its first change. The
/// caller can then tell whether anything may have changed, even if `request` panics.
pub async fn with_change_flag<F: Future>(change_sent: Arc<AtomicBool>, request: F) -> F::Output {
    CHANGE_SENT.scope(change_sent, request).await
}

/// How long [`Exchange::send`] waits after the deadline. A running session reports a
/// missed deadline within a tenth of a second, so the grace period only matters if the
/// session's task has died.
const DEADLINE_GRACE: Duration = Duration::from_secs(1);

/// A handle with which one request sends its actions over a link.
#[derive(Debug, Clone)]
pub struct Exchange {
    requests: mpsc::UnboundedSender<Request>,
    deadline: Instant,
    request_id: Arc<str>,
    permit: Option<Arc<OwnedSemaphorePermit>>,
    may_write: bool,
}

impl Exchange {
    /// Sends an action without retries, and waits for its reply.
    ///
    /// Asterisk executes actions in the order of the calls to `send`. The action is sent even
    /// if the returned future is dropped.
    ///
    /// # Errors
    /// Returns [`Failure::Unavailable`] or [`Failure::Overloaded`] if the action was not
    /// sent, and [`Failure::Unknown`] if Asterisk may have executed it.
    pub fn send(
        &self,
        action: Action,
    ) -> impl Future<Output = Result<Arc<Reply>, Failure>> + Send + use<> {
        let (reply_sender, receiver) = oneshot::channel();
        let deadline = self.deadline;
        if action.is_change() {
            let _ = CHANGE_SENT.try_with(|flag| flag.store(true, Ordering::Release));
        }
        let session_ended = self
            .requests
            .send(Request {
                action,
                deadline: self.deadline,
                reply_sender,
                request_id: Arc::clone(&self.request_id),
                permit: self.permit.clone(),
            })
            .is_err();
        async move {
            if session_ended {
                return Err(Failure::Unavailable {
                    retry_after: Duration::from_secs(1),
                });
            }
            match timeout_at(deadline + DEADLINE_GRACE, receiver).await {
                Ok(Ok(result)) => result,
                // The session's task has panicked.
                Ok(Err(_)) | Err(_) => Err(Failure::Unknown),
            }
        }
    }

    /// Returns whether the AMI user had `write=agent` when the link came up. If so, a later
    /// `Permission denied` means that app_queue is being loaded.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.may_write
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::testing::{header, member};

    #[tokio::test]
    async fn change_flag_is_set_by_a_change_but_not_by_a_ping() {
        let (requests, mut received) = mpsc::unbounded_channel();
        let exchange = Exchange {
            requests,
            deadline: Instant::now(),
            request_id: "r1".into(),
            permit: None,
            may_write: true,
        };
        let flag = Arc::new(AtomicBool::new(false));
        let request = async {
            drop(exchange.send(Action::Ping));
            assert!(!flag.load(Ordering::Acquire));
            // The action is sent even though its future is dropped.
            drop(exchange.send(Action::QueueRemove {
                queue: header("acme-6001"),
                interface: member("Local/1001@agents"),
            }));
        };
        with_change_flag(Arc::clone(&flag), request).await;
        assert!(flag.load(Ordering::Acquire));
        assert!(received.recv().await.is_some() && received.recv().await.is_some());
    }
}
