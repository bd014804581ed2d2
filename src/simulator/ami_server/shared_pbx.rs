//! The lock around the state, and the task that runs the PBX's timers.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::server_state::ServerState;

/// The simulated PBX, shared between its timer task, its connections and the
/// [`Simulator`](crate::simulator::Simulator).
#[derive(Debug)]
pub(crate) struct SharedPbx {
    state: Mutex<ServerState>,
    started_at: Instant,
    /// The time on the simulated clock at `started_at`.
    clock_at_start: Duration,
    /// Notified after each state change, because a change may start timers.
    changed: Notify,
    /// True while the PBX is frozen.
    frozen: watch::Sender<bool>,
}

impl SharedPbx {
    /// Shares the state. From now on, the simulated clock runs, starting at `clock_at_start`.
    pub(crate) fn new(state: ServerState, clock_at_start: Duration) -> Self {
        Self {
            state: Mutex::new(state),
            started_at: Instant::now(),
            clock_at_start,
            changed: Notify::new(),
            frozen: watch::Sender::new(false),
        }
    }

    /// Locks the state, advances it to the current time and runs `work` on it. Finally sends
    /// all new events to the sessions.
    pub(crate) fn with_state<R>(&self, work: impl FnOnce(&mut ServerState) -> R) -> R {
        let mut state = self.lock();
        state.pbx.advance(self.clock());
        let result = work(&mut state);
        state.deliver_events();
        self.changed.notify_one();
        result
    }

    pub(crate) fn set_frozen(&self, frozen: bool) {
        self.frozen.send_replace(frozen);
    }

    /// Returns a receiver whose value is true while the PBX is frozen.
    pub(crate) fn watch_frozen(&self) -> watch::Receiver<bool> {
        self.frozen.subscribe()
    }

    /// Runs each of the PBX's timers when it expires. Never returns.
    pub(crate) async fn run_timers(&self) {
        let mut frozen = self.watch_frozen();
        loop {
            wait_while_frozen(&mut frozen).await;
            let next_expiry = self.run_expired_timers();
            let expired = async {
                match next_expiry {
                    Some(expiry) => tokio::time::sleep_until(expiry).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = expired => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// Runs the timers that have expired. Returns the time at which the next timer expires.
    fn run_expired_timers(&self) -> Option<Instant> {
        let mut state = self.lock();
        state.pbx.advance(self.clock());
        state.deliver_events();
        let expiry = state.pbx.timers.next_expiry()?;
        Some(self.started_at + expiry.saturating_sub(self.clock_at_start))
    }

    /// Returns the current time on the simulated clock.
    fn clock(&self) -> Duration {
        self.clock_at_start + self.started_at.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the PBX is not frozen.
pub(crate) async fn wait_while_frozen(frozen: &mut watch::Receiver<bool>) {
    // This can't fail, because the sender lives as long as the PBX.
    let _ = frozen.wait_for(|frozen| !frozen).await;
}
