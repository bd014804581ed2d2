//! Hands changes to a large PBX at a pace that it can digest.
//!
//! A pause, an add and a remove publish device states, for each of which Asterisk
//! walks over every membership of the PBX after it has answered: at 50,000 it says
//! yes 2,000 times a second and can keep up with 57. What it has promised is paid
//! later, by everyone: device states lag, and reads slow down tenfold.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as FairMutex;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::ami::Failure;

/// Below so many memberships, Asterisk's answers are pace enough.
const LARGE: usize = 2_000;

/// Work that may be handed over at once, in Asterisk's processor time.
const BURST: Duration = Duration::from_secs(1);

/// The part of one processor that changes may take. Asterisk does this work one
/// after another.
const SHARE: f64 = 0.8;

/// What one change costs Asterisk, of processor time, with so many memberships.
/// Measured on 22.10: 0.25 ms with 1,000, 0.7 with 5,000, 3.7 with 20,000, 17.6
/// with 50,000.
fn cost(memberships: usize) -> Duration {
    let memberships = memberships as f64;
    Duration::from_secs_f64((0.2 + memberships * 5e-5 + memberships.powi(2) * 6e-9) / 1000.0)
}

/// The pace of one PBX.
#[derive(Debug)]
pub(super) struct Pace {
    /// Who has changes waiting. The lock is fair, and so each has its turns in the
    /// order in which they came.
    owners: Mutex<HashMap<String, Arc<FairMutex<()>>>>,
    /// When Asterisk has done all that it was handed. This lock is fair too, and
    /// each owner has one place at most: so they take turns.
    done: FairMutex<Instant>,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            owners: Mutex::default(),
            done: FairMutex::new(now),
        }
    }

    /// Waits until it is that owner's turn to make a change on a PBX with so many
    /// memberships.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] where that is not before the deadline.
    pub(super) async fn turn(
        &self,
        owner: &str,
        memberships: usize,
        deadline: Instant,
    ) -> Result<(), Failure> {
        if memberships < LARGE {
            return Ok(());
        }
        let turn = timeout_at(deadline, self.wait(owner, cost(memberships)));
        turn.await.map_err(|_| Failure::Overloaded)
    }

    async fn wait(&self, owner: &str, cost: Duration) {
        let own = {
            let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(owners.entry(owner.to_owned()).or_default())
        };
        let _place = own.lock().await;
        let mut done = self.done.lock().await;
        sleep_until(*done - BURST.min(done.saturating_duration_since(Instant::now()))).await;
        *done = (*done).max(Instant::now()) + cost.div_f64(SHARE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;

    const SIZE: usize = 50_000;

    fn in_seconds(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_through_and_what_is_beyond_is_paced() {
        let pace = Pace::new(Instant::now());
        let start = Instant::now();
        let turns = (0..100).map(|_| pace.turn("acme", SIZE, in_seconds(100)));
        let at_once = join_all((0..40).map(|_| pace.turn("acme", SIZE, in_seconds(100))));
        assert!(at_once.await.iter().all(Result::is_ok));
        assert!(
            start.elapsed() < Duration::from_millis(5),
            "{:?}",
            start.elapsed()
        );
        join_all(turns).await;
        // 140 changes of 22 ms each, less the second that went through at once.
        let seconds = start.elapsed().as_secs_f64();
        assert!((1.9..2.2).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn organizations_take_turns() {
        let pace = Pace::new(Instant::now());
        let many = (0..500).map(|_| pace.turn("busy", SIZE, in_seconds(100)));
        let start = Instant::now();
        let few = async {
            // Behind all of the other's.
            tokio::task::yield_now().await;
            join_all((0..5).map(|_| pace.turn("calm", SIZE, in_seconds(100)))).await;
            start.elapsed()
        };
        let (_, calm) = tokio::join!(join_all(many), few);
        assert!(calm < Duration::from_secs(1), "{calm:?}");
        assert!(start.elapsed() > Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_get_its_turn_in_time_is_too_much() {
        let pace = Pace::new(Instant::now());
        let turns = join_all((0..500).map(|_| pace.turn("acme", SIZE, in_seconds(2))));
        let turns = turns.await;
        let done = turns.iter().filter(|turn| turn.is_ok()).count();
        assert!((130..145).contains(&done), "{done}");
        assert_eq!(turns.last(), Some(&Err(Failure::Overloaded)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_small_pbx_has_no_pace() {
        let pace = Pace::new(Instant::now());
        let start = Instant::now();
        join_all((0..10_000).map(|_| pace.turn("acme", LARGE - 1, start))).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
