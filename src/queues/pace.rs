//! Limits the rate of changes on a large PBX to what Asterisk can process.
//!
//! Pausing, adding or removing a member makes Asterisk publish device states. After it has
//! acknowledged such a change, Asterisk walks through all memberships on the PBX. With 50,000
//! memberships it acknowledges 2,000 changes a second but can process only 57. The backlog
//! then affects all clients: device states lag, and reads take ten times as long.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as FairMutex;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::ami::Failure;

/// Changes on a PBX with fewer memberships than this are not limited.
const MIN_PACED_MEMBERSHIPS: usize = 2_000;

/// Asterisk's maximum backlog of unprocessed changes, in processor time.
const MAX_BACKLOG: Duration = Duration::from_secs(1);

/// The share of one processor that changes may use. Asterisk processes them one after another.
const MAX_PROCESSOR_SHARE: f64 = 0.8;

/// Returns the processor time that Asterisk needs for one change on a PBX with this many
/// memberships. Measured on Asterisk 22.10: 0.25 ms with 1,000 memberships, 0.7 ms with 5,000,
/// 3.7 ms with 20,000 and 17.6 ms with 50,000.
fn processor_time_per_change(memberships: usize) -> Duration {
    let memberships = memberships as f64;
    Duration::from_secs_f64((0.2 + memberships * 5e-5 + memberships.powi(2) * 6e-9) / 1000.0)
}

/// Decides when the next change may be sent to a PBX.
#[derive(Debug)]
pub(super) struct Pace {
    /// One lock per owner that has made changes. The locks are fair, so an owner's changes are
    /// sent in the order in which they were requested.
    owner_locks: Mutex<HashMap<String, Arc<FairMutex<()>>>>,
    /// When Asterisk will have processed all changes sent so far. This lock is also fair, and at
    /// most one change per owner waits for it, so the owners take turns.
    backlog_end: FairMutex<Instant>,
}

/// Permission to send a change. Queries don't need one.
#[derive(Debug)]
pub(super) struct Permit(());

impl Permit {
    /// Returns a permit immediately, for actions that cost Asterisk no more than a ping.
    pub(super) fn without_waiting() -> Self {
        Self(())
    }
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            owner_locks: Mutex::default(),
            backlog_end: FairMutex::new(now),
        }
    }

    /// Waits until `owner` may make a change on a PBX with this many memberships.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] if the owner's turn does not come before the deadline.
    pub(super) async fn wait_for_turn(
        &self,
        owner: &str,
        memberships: usize,
        deadline: Instant,
    ) -> Result<Permit, Failure> {
        if memberships < MIN_PACED_MEMBERSHIPS {
            return Ok(Permit(()));
        }
        let turn = self.wait_and_reserve(owner, processor_time_per_change(memberships));
        let turn = timeout_at(deadline, turn).await;
        turn.map(Permit).map_err(|_| Failure::Overloaded)
    }

    /// Waits for the owner's turn, and adds the change's processor time to the backlog.
    async fn wait_and_reserve(&self, owner: &str, processor_time: Duration) {
        let owner_lock = {
            let mut locks = self
                .owner_locks
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(owner.to_owned()).or_default())
        };
        let _owner_guard = owner_lock.lock().await;
        let mut backlog_end = self.backlog_end.lock().await;
        let backlog = backlog_end.saturating_duration_since(Instant::now());
        sleep_until(*backlog_end - MAX_BACKLOG.min(backlog)).await;
        let start = (*backlog_end).max(Instant::now());
        *backlog_end = start + processor_time.div_f64(MAX_PROCESSOR_SHARE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;

    const MEMBERSHIPS: usize = 50_000;

    fn deadline_in(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn changes_beyond_a_burst_are_delayed() {
        let pace = Pace::new(Instant::now());
        let start = Instant::now();
        let delayed = (0..100).map(|_| pace.wait_for_turn("acme", MEMBERSHIPS, deadline_in(100)));
        let immediate =
            join_all((0..40).map(|_| pace.wait_for_turn("acme", MEMBERSHIPS, deadline_in(100))));
        assert!(immediate.await.iter().all(Result::is_ok));
        assert!(
            start.elapsed() < Duration::from_millis(5),
            "{:?}",
            start.elapsed()
        );
        join_all(delayed).await;
        // 140 changes of 22 ms each, minus the one-second backlog.
        let seconds = start.elapsed().as_secs_f64();
        assert!((1.9..2.2).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn owners_alternate() {
        let pace = Pace::new(Instant::now());
        let many = (0..500).map(|_| pace.wait_for_turn("busy", MEMBERSHIPS, deadline_in(100)));
        let start = Instant::now();
        let few = async {
            // Let the busy owner queue all its changes first.
            tokio::task::yield_now().await;
            join_all((0..5).map(|_| pace.wait_for_turn("calm", MEMBERSHIPS, deadline_in(100))))
                .await;
            start.elapsed()
        };
        let (_, calm_elapsed) = tokio::join!(join_all(many), few);
        assert!(calm_elapsed < Duration::from_secs(1), "{calm_elapsed:?}");
        assert!(start.elapsed() > Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn changes_fail_as_overloaded_when_their_turn_does_not_come_before_the_deadline() {
        let pace = Pace::new(Instant::now());
        let turns =
            join_all((0..500).map(|_| pace.wait_for_turn("acme", MEMBERSHIPS, deadline_in(2))));
        let turns = turns.await;
        let in_time = turns.iter().filter(|turn| turn.is_ok()).count();
        assert!((130..145).contains(&in_time), "{in_time}");
        let last = turns.last().expect("a turn");
        assert_eq!(last.as_ref().err(), Some(&Failure::Overloaded));
    }

    #[tokio::test(start_paused = true)]
    async fn changes_on_a_small_pbx_are_not_delayed() {
        let pace = Pace::new(Instant::now());
        let start = Instant::now();
        join_all((0..10_000).map(|_| pace.wait_for_turn("acme", MIN_PACED_MEMBERSHIPS - 1, start)))
            .await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
