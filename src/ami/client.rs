//! The handle by which the rest of the program uses a link.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::action::Action;
use super::error::Failure;
use super::login::Peer;
use super::pending::Request;
use super::reply::Reply;

/// What a link is doing.
#[derive(Debug, Clone)]
pub enum LinkState {
    /// No session, since one has ended or an attempt has failed.
    Down {
        /// When the next attempt begins.
        next_attempt: Instant,
        /// Why, in words for the operator.
        reason: String,
    },
    /// The first attempt is under way.
    Connecting,
    /// Logged in, and Asterisk knows no actions of queues yet.
    Booting,
    /// Ready for requests.
    Ready(Peer),
    /// Asterisk has announced its end.
    ShuttingDown,
}

/// State of a link, and the way in while it is ready.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) state: LinkState,
    pub(crate) requests: Option<mpsc::UnboundedSender<Request>>,
}

/// Sends actions over one PBX's link. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    name: Arc<str>,
    link: watch::Receiver<Link>,
    permits: Arc<Semaphore>,
    max_pending: usize,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("name", &self.name).finish()
    }
}

impl Client {
    pub(crate) fn new(name: Arc<str>, link: watch::Receiver<Link>, max_pending: usize) -> Self {
        Self {
            name,
            link,
            permits: Arc::new(Semaphore::new(max_pending)),
            max_pending,
        }
    }

    /// The PBX's name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many exchanges are under way, and how many may be at once.
    #[must_use]
    pub fn pending(&self) -> (usize, usize) {
        let free = self.permits.available_permits();
        (self.max_pending.saturating_sub(free), self.max_pending)
    }

    /// What the link is doing now.
    #[must_use]
    pub fn state(&self) -> LinkState {
        if !self.is_kept() {
            // What it said last is over.
            return LinkState::Down {
                next_attempt: Instant::now(),
                reason: "nobody keeps this link any more".to_owned(),
            };
        }
        self.link.borrow().state.clone()
    }

    /// Whether the task that keeps the link still runs.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.link.has_changed().is_ok()
    }

    /// Waits until the link's state satisfies the condition, and returns it.
    pub async fn wait_for(&mut self, mut condition: impl FnMut(&LinkState) -> bool) -> LinkState {
        // An error means that the supervisor has ended: then this is its last word.
        let _ = self.link.wait_for(|link| condition(&link.state)).await;
        self.state()
    }

    /// Begins an exchange: any number of actions, sent before `deadline`. The
    /// request's id is for the log.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] while there is no link, [`Failure::Overloaded`]
    /// while `max_pending` exchanges are under way. Nothing was sent then.
    pub fn begin(&self, deadline: Instant, request_id: &str) -> Result<Exchange, Failure> {
        self.open(deadline, request_id, Some(&self.permits))
    }

    /// Begins an exchange of the bridge's own, which has no part in
    /// `max_pending`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] while there is no link.
    pub fn begin_own(&self, deadline: Instant, purpose: &str) -> Result<Exchange, Failure> {
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
    /// Set as soon as the request that this task serves may have sent a change.
    static CHANGE_SENT: Arc<AtomicBool>;
}

/// Serves a request, and sets `sent` before it sends its first change: whatever happens
/// to the request, even a panic, it is known whether anything may have changed.
pub async fn noting_changes<F: Future>(sent: Arc<AtomicBool>, request: F) -> F::Output {
    CHANGE_SENT.scope(sent, request).await
}

/// How long after its deadline an action is answered at the latest.
const GRACE: Duration = Duration::from_secs(1);

/// One request's use of a link.
#[derive(Debug, Clone)]
pub struct Exchange {
    requests: mpsc::UnboundedSender<Request>,
    deadline: Instant,
    request_id: Arc<str>,
    permit: Option<Arc<OwnedSemaphorePermit>>,
    may_write: bool,
}

impl Exchange {
    /// Sends an action, once, and waits for its answer.
    ///
    /// Actions are executed in the order of these calls. Dropping the future
    /// does not call the action back.
    ///
    /// # Errors
    /// [`Failure`] says whether the action may have been executed.
    pub fn send(
        &self,
        action: Action,
    ) -> impl Future<Output = Result<Arc<Reply>, Failure>> + Send + use<> {
        let (reply, receiver) = oneshot::channel();
        let deadline = self.deadline;
        if action.is_change() {
            let _ = CHANGE_SENT.try_with(|sent| sent.store(true, Ordering::Release));
        }
        let refused = self
            .requests
            .send(Request {
                action,
                deadline: self.deadline,
                reply,
                request_id: Arc::clone(&self.request_id),
                permit: self.permit.clone(),
            })
            .is_err();
        async move {
            if refused {
                return Err(Failure::Unavailable {
                    retry_after: Duration::from_secs(1),
                });
            }
            // A session always answers, and soon after the deadline; if its task
            // died, nobody knows.
            match timeout_at(deadline + GRACE, receiver).await {
                Ok(Ok(reply)) => reply,
                Ok(Err(_)) | Err(_) => Err(Failure::Unknown),
            }
        }
    }

    /// Whether the AMI user was found to have `write=agent`. If so, a later
    /// `Permission denied` means that app_queue is being loaded.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.may_write
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::value::{HeaderValue, MemberValue};

    #[tokio::test]
    async fn a_change_is_noted_before_it_is_sent_and_a_question_is_not() {
        let (requests, mut sent) = mpsc::unbounded_channel();
        let exchange = Exchange {
            requests,
            deadline: Instant::now(),
            request_id: "r1".into(),
            permit: None,
            may_write: true,
        };
        let noted = Arc::new(AtomicBool::new(false));
        let request = async {
            drop(exchange.send(Action::Ping));
            assert!(!noted.load(Ordering::Acquire));
            // Nobody waits for the answer any more: it is sent all the same.
            drop(exchange.send(Action::QueueRemove {
                queue: HeaderValue::new("acme-6001").expect("a value"),
                interface: MemberValue::new("Local/1001@agents").expect("a value"),
            }));
        };
        noting_changes(Arc::clone(&noted), request).await;
        assert!(noted.load(Ordering::Acquire));
        assert!(sent.recv().await.is_some() && sent.recv().await.is_some());
    }
}
