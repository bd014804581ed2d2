//! Ends pauses when their time has come, and wakes the mirror when time changes a member.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug, info_span, warn};

use super::pbx::Pbx;
use super::state::{DuePause, MemberKey, Mirror, PauseRequest};
use crate::ami::Failure;
use crate::queues::actions::Turn;
use crate::queues::error::QueueError;
use crate::queues::pace::TurnOwner;
use crate::queues::queries::QueueQueries;
use crate::wall_clock;

/// Moments are dates on the wall clock, which can jump. The timer looks at it this often while
/// there are moments.
const MAX_SLEEP: Duration = Duration::from_millis(250);

/// The number of pauses that are ended at the same time.
const MAX_CONCURRENT_ENDS: usize = 32;

/// The account with which the timer takes turns with an organization's accounts. No account of the
/// configuration has an empty name.
const TIMER_ACCOUNT: &str = "";

/// Delay before another attempt to end a pause that Asterisk did not end.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// How long a shutdown waits for running attempts.
const MAX_STOP_DELAY: Duration = Duration::from_secs(4);

/// Delay before another attempt if Asterisk has refused.
const REFUSED_RETRY_DELAY: Duration = Duration::from_secs(60);

/// An attempt to end a pause, for the audit log.
#[derive(Debug)]
pub struct EndedPause {
    /// The PBX's configured name.
    pub pbx: String,
    /// The organization whose request or catalog ends the pause.
    pub organization: String,
    /// The queue's name on the PBX.
    pub queue: String,
    /// The member's interface.
    pub interface: String,
    /// The request that made the pause; `None` if it was made elsewhere.
    pub request: Option<PauseRequest>,
    /// Why Asterisk did not end the pause; `None` if it did.
    pub error: Option<QueueError>,
}

impl EndedPause {
    /// The reason of the unpause in Asterisk's `queue_log`.
    pub const REASON: &str = "Time over";
}

/// The result of an attempt to end a pause.
enum Attempt {
    /// Nothing was sent: the pause no longer stands, or the member could not be queried.
    NotSent,
    /// The unpause was sent. The result is false if Asterisk no longer had the member.
    Sent(Result<bool, QueueError>),
}

/// Ends pauses when their time has come.
pub(super) struct PauseTimer {
    pbx: Pbx,
    ended: mpsc::UnboundedSender<EndedPause>,
    slots: Semaphore,
    running: TaskTracker,
    stop: CancellationToken,
}

impl PauseTimer {
    pub(super) fn new(
        pbx: Pbx,
        ended: mpsc::UnboundedSender<EndedPause>,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            pbx,
            ended,
            slots: Semaphore::new(MAX_CONCURRENT_ENDS),
            running: TaskTracker::new(),
            stop,
        })
    }

    /// Runs until `stop` is canceled and the running attempts have finished.
    pub(super) async fn run(self: Arc<Self>) {
        self.stop.run_until_cancelled(self.end_due_pauses()).await;
        self.running.close();
        // A pause that is not ended now is ended after the restart.
        let _ = timeout(MAX_STOP_DELAY, self.running.wait()).await;
    }

    async fn end_due_pauses(self: &Arc<Self>) {
        let store = &self.pbx.store;
        loop {
            let woken = store.wake_pause_timer.notified();
            let due = store.change(|mirror, now| mirror.take_due_pauses(now));
            for pause in due {
                let span = info_span!("end_pause", pbx = self.pbx.name);
                self.running
                    .spawn(Arc::clone(self).end(pause).instrument(span));
            }
            let next = store.read(Mirror::next_moment);
            let next = next.map(|at| at.saturating_sub(wall_clock::unix_millis()));
            match next {
                Some(millis) => {
                    let until = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
                    tokio::select! {
                        () = sleep(until.min(MAX_SLEEP)) => {}
                        () = woken => {}
                    }
                }
                None => woken.await,
            }
        }
    }

    /// Ends a pause. If it still stands afterwards, it is tried again later.
    async fn end(self: Arc<Self>, pause: DuePause) {
        let key = MemberKey::new(&pause.queue, &pause.interface);
        let attempt = self.try_end(&key, &pause).await;
        let delay = match &attempt {
            Attempt::Sent(Err(QueueError::Refused(_))) => REFUSED_RETRY_DELAY,
            _ => RETRY_DELAY,
        };
        if let Attempt::Sent(result) = attempt {
            self.report(pause, result.err());
        }
        self.pbx.store.change(|mirror, now| {
            let retry_at = now.unix_millis() + delay.as_millis() as i64;
            mirror.end_attempted(&key, retry_at);
        });
    }

    fn report(&self, pause: DuePause, error: Option<QueueError>) {
        let DuePause {
            queue,
            interface,
            organization,
            request,
        } = pause;
        let metrics = self.pbx.metrics();
        if let Some(error) = &error {
            metrics.pause_end_failures.inc();
            warn!(%error, %queue, %interface, "can't end a pause; trying again");
        } else {
            metrics.pauses_ended.inc();
        }
        // Fails only during shutdown.
        let _ = self.ended.send(EndedPause {
            pbx: self.pbx.name.clone(),
            organization,
            queue: queue.to_string(),
            interface: interface.to_string(),
            request,
            error,
        });
    }

    /// Queries the member, and unpauses it if the pause still stands. An attempt with an unknown
    /// outcome is followed by another query, so the unpause is never repeated blindly.
    async fn try_end(&self, key: &MemberKey, pause: &DuePause) -> Attempt {
        let deadline = Instant::now() + self.pbx.action_timeout();
        let Ok(queries) = self.pbx.begin_internal_queries(deadline, "timer") else {
            return Attempt::NotSent;
        };
        let turn_lock = Mutex::new(());
        let ready = async {
            let memberships = self.pbx.store.read(Mirror::count_memberships);
            let owner = TurnOwner {
                organization: &pause.organization,
                account: TIMER_ACCOUNT,
                request: &turn_lock,
            };
            let turn = Turn::wait(&self.pbx.pace, owner, memberships, deadline, &queries).await?;
            // No other change of the bridge may come between the query and the unpause.
            let lock = self.pbx.membership_locks.exclusive(key);
            let lock = timeout_at(deadline, lock).await;
            let guard = lock.map_err(|_| Failure::Overloaded)?;
            let slot = self.slots.acquire().await.ok();
            self.look(&queries, pause).await?;
            Ok::<_, QueueError>((turn, guard, slot))
        };
        // Once sent, the unpause is not withdrawn by a shutdown.
        let (turn, _guard, _slot) = match self.stop.run_until_cancelled(ready).await {
            Some(Ok(ready)) => ready,
            Some(Err(error)) => {
                debug!(%error, "can't query the member of a pause that is over");
                return Attempt::NotSent;
            }
            None => return Attempt::NotSent,
        };
        let due = self
            .pbx
            .store
            .change(|mirror, now| mirror.due_pause(key, now));
        if due.is_none() {
            return Attempt::NotSent;
        }
        let DuePause {
            queue, interface, ..
        } = pause;
        let unpause = turn.pause_if_member(queue, interface, false, Some(EndedPause::REASON));
        Attempt::Sent(unpause.await)
    }

    /// Queries the member. First measures Asterisk's clock: if the bridge's clock was set, the
    /// pause may only seem to be over.
    async fn look(&self, queries: &QueueQueries, pause: &DuePause) -> Result<(), QueueError> {
        self.pbx.store.change(|mirror, now| mirror.check_clock(now));
        queries.ping().await?;
        let (queue, interface) = (&pause.queue, &*pause.interface);
        queries.status(Some(queue), Some(interface)).await.map(drop)
    }
}
