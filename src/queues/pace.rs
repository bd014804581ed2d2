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
///
/// The locks are fair. A change that waits for its turn holds its request's lock, then its
/// account's and its organization's, and then waits for `backlog_end`. At most one change per
/// request therefore waits for its account, one per account for its organization, and one per
/// organization for the PBX: organizations take turns, so do the accounts of an organization, and
/// so do the requests of an account. A request's changes are sent in the order in which they
/// were requested.
#[derive(Debug)]
pub(super) struct Pace {
    /// The locks of the organizations that have made changes.
    organizations: Mutex<HashMap<String, OrganizationLocks>>,
    /// When Asterisk will have processed all changes sent so far.
    backlog_end: FairMutex<Instant>,
}

#[derive(Debug, Default)]
struct OrganizationLocks {
    organization: Arc<FairMutex<()>>,
    accounts: HashMap<String, Arc<FairMutex<()>>>,
}

/// Whose turn a change uses.
#[derive(Debug, Clone, Copy)]
pub(super) struct TurnOwner<'a> {
    pub(super) organization: &'a str,
    pub(super) account: &'a str,
    /// The lock that the request's changes share.
    pub(super) request: &'a FairMutex<()>,
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
            organizations: Mutex::default(),
            backlog_end: FairMutex::new(now),
        }
    }

    /// Waits until `owner` may make a change on a PBX with this many memberships.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] if the owner's turn does not come before the deadline.
    pub(super) async fn wait_for_turn(
        &self,
        owner: TurnOwner<'_>,
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
    async fn wait_and_reserve(&self, owner: TurnOwner<'_>, processor_time: Duration) {
        let _request_guard = owner.request.lock().await;
        let (account, organization) = self.locks_of(owner);
        let _account_guard = account.lock().await;
        let _organization_guard = organization.lock().await;
        let mut backlog_end = self.backlog_end.lock().await;
        let backlog = backlog_end.saturating_duration_since(Instant::now());
        // Tokio's timer would sleep for up to a millisecond even if the time has already come.
        if backlog > MAX_BACKLOG {
            sleep_until(*backlog_end - MAX_BACKLOG).await;
        }
        let start = (*backlog_end).max(Instant::now());
        *backlog_end = start + processor_time.div_f64(MAX_PROCESSOR_SHARE);
    }

    /// Returns the locks of the owner's account and organization.
    fn locks_of(&self, owner: TurnOwner<'_>) -> (Arc<FairMutex<()>>, Arc<FairMutex<()>>) {
        let organizations = self.organizations.lock();
        let mut organizations = organizations.unwrap_or_else(PoisonError::into_inner);
        let organization = organizations.entry(owner.organization.to_owned());
        let locks = organization.or_default();
        let account = locks.accounts.entry(owner.account.to_owned()).or_default();
        (Arc::clone(account), Arc::clone(&locks.organization))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;

    const MEMBERSHIPS: usize = 50_000;

    /// A request that makes changes on a large PBX.
    struct Request<'a> {
        pace: &'a Pace,
        organization: &'static str,
        account: &'static str,
        lock: FairMutex<()>,
    }

    impl<'a> Request<'a> {
        fn new(pace: &'a Pace, organization: &'static str, account: &'static str) -> Self {
            Self {
                pace,
                organization,
                account,
                lock: FairMutex::new(()),
            }
        }

        /// Waits for the turns of `count` changes, for up to `seconds`.
        async fn wait_for_turns(&self, count: usize, seconds: u64) -> Vec<Result<Permit, Failure>> {
            let deadline = Instant::now() + Duration::from_secs(seconds);
            let owner = TurnOwner {
                organization: self.organization,
                account: self.account,
                request: &self.lock,
            };
            let turns = (0..count).map(|_| self.pace.wait_for_turn(owner, MEMBERSHIPS, deadline));
            join_all(turns).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn changes_beyond_a_burst_are_delayed() {
        let pace = Pace::new(Instant::now());
        let start = Instant::now();
        let request = Request::new(&pace, "acme", "dana");
        let immediate = request.wait_for_turns(40, 100).await;
        assert!(immediate.iter().all(Result::is_ok));
        assert!(
            start.elapsed() < Duration::from_millis(5),
            "{:?}",
            start.elapsed()
        );
        request.wait_for_turns(100, 100).await;
        // 140 changes of 22 ms each, minus the one-second backlog.
        let seconds = start.elapsed().as_secs_f64();
        assert!((1.9..2.2).contains(&seconds), "{seconds}");
    }

    /// Asserts that five changes of `few` take less than a second while `many` makes 500 changes.
    async fn assert_does_not_wait(many: Request<'_>, few: Request<'_>) {
        let start = Instant::now();
        let few = async {
            // Let the other request queue all its changes first.
            tokio::task::yield_now().await;
            few.wait_for_turns(5, 100).await;
            start.elapsed()
        };
        let (_, elapsed) = tokio::join!(many.wait_for_turns(500, 100), few);
        assert!(elapsed < Duration::from_millis(300), "{elapsed:?}");
        assert!(start.elapsed() > Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn organizations_accounts_and_requests_take_turns() {
        for (organization, account) in [("calm", "eve"), ("busy", "eve"), ("busy", "dana")] {
            let pace = Pace::new(Instant::now());
            // The burst is used up.
            Request::new(&pace, "other", "other")
                .wait_for_turns(47, 100)
                .await;
            let many = Request::new(&pace, "busy", "dana");
            let few = Request::new(&pace, organization, account);
            assert_does_not_wait(many, few).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn account_with_many_requests_takes_turns_with_another() {
        let pace = Pace::new(Instant::now());
        let lists: Vec<_> = (0..20)
            .map(|_| Request::new(&pace, "acme", "dana"))
            .collect();
        let start = Instant::now();
        let few = async {
            tokio::task::yield_now().await;
            Request::new(&pace, "acme", "eve")
                .wait_for_turns(5, 100)
                .await;
            start.elapsed()
        };
        let lists = join_all(lists.iter().map(|list| list.wait_for_turns(25, 100)));
        let (_, elapsed) = tokio::join!(lists, few);
        assert!(elapsed < Duration::from_millis(300), "{elapsed:?}");
        assert!(start.elapsed() > Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn changes_fail_as_overloaded_when_their_turn_does_not_come_before_the_deadline() {
        let pace = Pace::new(Instant::now());
        let request = Request::new(&pace, "acme", "dana");
        let turns = request.wait_for_turns(500, 2).await;
        let in_time = turns.iter().filter(|turn| turn.is_ok()).count();
        assert!((130..145).contains(&in_time), "{in_time}");
        let last = turns.last().expect("a turn");
        assert_eq!(last.as_ref().err(), Some(&Failure::Overloaded));
    }

    #[tokio::test(start_paused = true)]
    async fn changes_on_a_small_pbx_are_not_delayed() {
        let pace = Pace::new(Instant::now());
        let start = Instant::now();
        let owner = TurnOwner {
            organization: "acme",
            account: "dana",
            request: &FairMutex::new(()),
        };
        let small = MIN_PACED_MEMBERSHIPS - 1;
        join_all((0..10_000).map(|_| pace.wait_for_turn(owner, small, start))).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
