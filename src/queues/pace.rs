//! Limits the rate of changes on a large PBX to what Asterisk can process.
//!
//! A pause, an add and a remove publish device states. For each of them, Asterisk walks over
//! every membership of the PBX, after it has acknowledged the change. With 50,000 memberships
//! it acknowledges 2,000 changes a second but can process only 57. The backlog then slows down
//! everyone: device states lag, and reads take ten times as long.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as FairMutex;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::ami::Failure;

/// Changes on a PBX with fewer memberships are not limited.
const MIN_PACED_MEMBERSHIPS: usize = 2_000;

/// The backlog of work that Asterisk may have, in processor time.
const MAX_BACKLOG: Duration = Duration::from_secs(1);

/// The share of one processor that changes may use. Asterisk processes them one after another.
const MAX_PROCESSOR_SHARE: f64 = 0.8;

/// The processor time that Asterisk needs for one change on a PBX with that many memberships.
/// Measured on 22.10: 0.25 ms with 1,000, 0.7 ms with 5,000, 3.7 ms with 20,000, 17.6 ms with
/// 50,000.
fn processor_time_per_change(memberships: usize) -> Duration {
    let memberships = memberships as f64;
    Duration::from_secs_f64((0.2 + memberships * 5e-5 + memberships.powi(2) * 6e-9) / 1000.0)
}

/// Decides when the next change may be sent to one PBX.
#[derive(Debug)]
pub(super) struct Pace {
    /// A lock for each owner that has made changes. The locks are fair, so the changes of one
    /// owner are made in the order of their requests.
    owners: Mutex<HashMap<String, Arc<FairMutex<()>>>>,
    /// When Asterisk will have processed all changes that were sent. This lock is fair, too, and
    /// at most one change of each owner waits for it. So the owners alternate.
    backlog_end: FairMutex<Instant>,
}

/// Permission to send a change. Queries don't need one.
#[derive(Debug)]
pub(super) struct Permit(());

impl Permit {
    /// Permission without waiting, for actions that cost Asterisk no more than a ping.
    pub(super) fn without_waiting() -> Self {
        Self(())
    }
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            owners: Mutex::default(),
            backlog_end: FairMutex::new(now),
        }
    }

    /// Waits until `owner` may make a change on a PBX with that many memberships.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] if that would be after the deadline.
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

    /// Waits for the turn of `owner`, and adds the processor time of its change to the backlog.
    async fn wait_and_reserve(&self, owner: &str, processor_time: Duration) {
        let owner_lock = {
            let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(owners.entry(owner.to_owned()).or_default())
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
        // 140 changes of 22 ms each, minus the backlog of one second.
        let seconds = start.elapsed().as_secs_f64();
        assert!((1.9..2.2).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn organizations_alternate() {
        let pace = Pace::new(Instant::now());
        let many = (0..500).map(|_| pace.wait_for_turn("busy", MEMBERSHIPS, deadline_in(100)));
        let start = Instant::now();
        let few = async {
            // Start after the other organization has queued all of its changes.
            tokio::task::yield_now().await;
            join_all((0..5).map(|_| pace.wait_for_turn("calm", MEMBERSHIPS, deadline_in(100))))
                .await;
            start.elapsed()
        };
        let (_, calm) = tokio::join!(join_all(many), few);
        assert!(calm < Duration::from_secs(1), "{calm:?}");
        assert!(start.elapsed() > Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn changes_without_a_turn_before_the_deadline_fail_as_overloaded() {
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
