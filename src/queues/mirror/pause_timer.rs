//! Ends pauses when their time has come, and shows what changes by time alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info_span, warn};

use super::pbx::Pbx;
use super::state::{DuePause, MemberKey, Mirror, PauseRequest};
use crate::ami::Failure;
use crate::queues::actions::Turn;
use crate::queues::error::QueueError;
use crate::wall_clock;

/// The reason of the unpause in Asterisk's `queue_log`.
const END_REASON: &str = "Time over";

/// Moments are dates on the wall clock, which can jump. The timer looks at it this often while
/// there are moments.
const MAX_SLEEP: Duration = Duration::from_millis(250);

/// The number of pauses that are ended at the same time.
const MAX_CONCURRENT_ENDS: usize = 32;

/// Delay before another attempt to end a pause that Asterisk did not end.
const RETRY_DELAY: Duration = Duration::from_secs(1);

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
    /// The reason of the unpause.
    pub const REASON: &str = END_REASON;
}

/// Ends pauses when their time has come.
pub(super) struct PauseTimer {
    pbx: Pbx,
    ended: mpsc::UnboundedSender<EndedPause>,
    slots: Arc<Semaphore>,
    running: TaskTracker,
}

impl PauseTimer {
    pub(super) fn new(pbx: Pbx, ended: mpsc::UnboundedSender<EndedPause>) -> Arc<Self> {
        Arc::new(Self {
            pbx,
            ended,
            slots: Arc::new(Semaphore::new(MAX_CONCURRENT_ENDS)),
            running: TaskTracker::new(),
        })
    }

    /// Runs until `stop` is canceled and the pauses that are being ended have ended.
    pub(super) async fn run(self: Arc<Self>, stop: CancellationToken) {
        stop.run_until_cancelled(self.end_due_pauses()).await;
        self.running.close();
        // Each attempt has a deadline.
        self.running.wait().await;
    }

    async fn end_due_pauses(self: &Arc<Self>) {
        let store = &self.pbx.store;
        loop {
            let woken = store.wake_pause_timer.notified();
            let due = store.change(|mirror, now| {
                mirror.show_due_changes(now);
                mirror.take_due_pauses(now)
            });
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

    /// Ends a pause, and plans another attempt if it still stands.
    async fn end(self: Arc<Self>, pause: DuePause) {
        let _slot = self.slots.acquire().await;
        let key = MemberKey::new(&pause.queue, &pause.interface);
        let result = self.try_end(&key, &pause).await;
        let delay = match &result {
            Err(QueueError::Refused(_)) => REFUSED_RETRY_DELAY,
            _ => RETRY_DELAY,
        };
        if was_sent(&result) {
            let DuePause {
                queue, interface, ..
            } = &pause;
            let metrics = self.pbx.metrics();
            match &result {
                Ok(_) => metrics.pauses_ended.inc(),
                Err(_) => metrics.pause_end_failures.inc(),
            };
            if let Err(error) = &result {
                warn!(%error, %queue, %interface, "can't end a pause; trying again");
            }
            // Fails only during shutdown.
            let _ = self.ended.send(EndedPause {
                pbx: self.pbx.name.clone(),
                queue: queue.to_string(),
                interface: interface.to_string(),
                organization: pause.organization,
                request: pause.request,
                error: result.err(),
            });
        }
        self.pbx.store.change(|mirror, now| {
            let retry_at = now.unix_millis() + delay.as_millis() as i64;
            mirror.end_attempted(&key, retry_at, now);
        });
    }

    /// Queries the member, and unpauses it if the pause still stands. Returns whether it was
    /// unpaused. An attempt with an unknown outcome is followed by another query, so the
    /// unpause is never repeated blindly.
    async fn try_end(&self, key: &MemberKey, pause: &DuePause) -> Result<bool, QueueError> {
        let DuePause {
            queue, interface, ..
        } = pause;
        let deadline = Instant::now() + self.pbx.action_timeout();
        let queries = self.pbx.begin_internal_queries(deadline, "timer")?;
        let memberships = self.pbx.store.read(Mirror::count_memberships);
        let turn = Turn::wait(
            &self.pbx.pace,
            &pause.organization,
            memberships,
            deadline,
            &queries,
        );
        let turn = turn.await?;
        // No other change of the bridge may come between the query and the unpause.
        let lock = self.pbx.membership_locks.exclusive(key);
        let lock = timeout_at(deadline, lock).await;
        let _guard = lock.map_err(|_| Failure::Overloaded)?;
        queries.status(Some(queue), Some(interface)).await?;
        let due = self
            .pbx
            .store
            .change(|mirror, now| mirror.due_pause(key, now));
        if due.is_none() {
            return Ok(false);
        }
        turn.pause_if_member(queue, interface, false, Some(END_REASON))
            .await
    }
}

/// Returns whether the unpause was sent.
fn was_sent(result: &Result<bool, QueueError>) -> bool {
    !matches!(
        result,
        Ok(false)
            | Err(QueueError::Failure(
                Failure::Overloaded | Failure::Unavailable { .. }
            ))
    )
}
