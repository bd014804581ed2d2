//! Slows down password guessing: too many failed logins from one address temporarily lock the user
//! out from that address.
//!
//! Other users and other addresses are not affected. A successful login does not reset the
//! count. Otherwise a polling panel behind the same address would keep clearing an attacker's
//! failures.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;

/// The conditions for a lockout, and its duration.
#[derive(Debug, Clone, Copy)]
pub struct LockoutPolicy {
    /// Number of failed logins that cause a lockout.
    pub attempts: u32,
    /// Period in which the failed logins must occur.
    pub window: Duration,
    /// Duration of a lockout.
    pub duration: Duration,
}

/// Maximum number of entries in the failure table. A full table drops its oldest entries, so
/// an attacker who makes up users and addresses can't make it grow.
const CAPACITY: usize = 10_000;

/// Counts failed logins, and serializes password checks for the same user and address.
#[derive(Debug)]
pub struct Lockout {
    policy: Mutex<LockoutPolicy>,
    failures: Mutex<HashMap<LockoutKey, Failures>>,
    /// One lock for each user and address with a running password check. Further checks for
    /// the same user and address wait for this lock.
    checks: Mutex<HashMap<LockoutKey, Arc<tokio::sync::Mutex<()>>>>,
    hasher: RandomState,
}

/// A hashed username and an address. Hashing limits the memory that long usernames use.
type LockoutKey = (u64, IpAddr);

/// Permission to check a password for one user from one address. The next check waits until this
/// permit is dropped.
#[derive(Debug)]
pub struct CheckPermit<'a> {
    lockout: &'a Lockout,
    key: LockoutKey,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Drop for CheckPermit<'_> {
    fn drop(&mut self) {
        let mut checks = self.lockout.checks();
        drop(self.guard.take());
        // If the table has the only reference to the lock, no other check is
        // waiting for it.
        if checks
            .get(&self.key)
            .is_some_and(|lock| Arc::strong_count(lock) == 1)
        {
            checks.remove(&self.key);
        }
    }
}

/// The failed logins of one user from one address.
#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    first_at: Instant,
    locked_until: Option<Instant>,
}

impl Failures {
    /// Returns true if the lockout has ended, or if the window has passed without a lockout.
    fn has_expired(&self, window: Duration, now: Instant) -> bool {
        match self.locked_until {
            Some(until) => until <= now,
            None => now.duration_since(self.first_at) > window,
        }
    }
}

impl Lockout {
    /// Creates a lockout table without failures.
    #[must_use]
    pub fn new(policy: LockoutPolicy) -> Self {
        Self {
            policy: Mutex::new(policy),
            failures: Mutex::default(),
            checks: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Replaces the policy. Failures that are already counted remain.
    pub fn set_policy(&self, policy: LockoutPolicy) {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    fn policy(&self) -> LockoutPolicy {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how much longer the user is locked out from this address, or `None` if the user
    /// is not locked out.
    #[must_use]
    pub fn remaining(&self, user: &str, address: IpAddr, now: Instant) -> Option<Duration> {
        let until = self
            .failures()
            .get(&self.key(user, address))?
            .locked_until?;
        let remaining = until.saturating_duration_since(now);
        (!remaining.is_zero()).then_some(remaining)
    }

    /// Returns true while a password check for this user and address is running.
    #[must_use]
    pub fn is_checking(&self, user: &str, address: IpAddr) -> bool {
        self.checks().contains_key(&self.key(user, address))
    }

    /// Waits for permission to check a password. Simultaneous guesses are checked one at a
    /// time, so that each check sees all earlier failures.
    pub async fn acquire(&self, user: &str, address: IpAddr) -> CheckPermit<'_> {
        let key = self.key(user, address);
        let lock = Arc::clone(self.checks().entry(key).or_default());
        // Create the permit before waiting: if this future is dropped, the permit removes its
        // table entry.
        let mut permit = CheckPermit {
            lockout: self,
            key,
            guard: None,
        };
        permit.guard = Some(lock.lock_owned().await);
        permit
    }

    fn checks(&self) -> MutexGuard<'_, HashMap<LockoutKey, Arc<tokio::sync::Mutex<()>>>> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a failed login. Returns true if it causes a lockout.
    pub fn record_failure(&self, user: &str, address: IpAddr, now: Instant) -> bool {
        let key = self.key(user, address);
        let mut table = self.failures();
        if table.len() >= CAPACITY && !table.contains_key(&key) {
            self.make_room(&mut table, now);
        }
        let no_failures = Failures {
            count: 0,
            first_at: now,
            locked_until: None,
        };
        let policy = self.policy();
        let entry = table.entry(key).or_insert(no_failures);
        if entry.has_expired(policy.window, now) {
            *entry = no_failures;
        }
        entry.count += 1;
        let causes_lockout = entry.count >= policy.attempts && entry.locked_until.is_none();
        if causes_lockout {
            entry.locked_until = Some(now + policy.duration);
        }
        causes_lockout
    }

    fn make_room(&self, table: &mut HashMap<LockoutKey, Failures>, now: Instant) {
        let window = self.policy().window;
        table.retain(|_, failures| !failures.has_expired(window, now));
        if table.len() >= CAPACITY {
            let mut first_failures: Vec<Instant> =
                table.values().map(|failures| failures.first_at).collect();
            // Remove half of the entries, so that an attacker can't trigger this search with
            // every failure.
            let (_, median, _) = first_failures.select_nth_unstable(CAPACITY / 2);
            let median = *median;
            table.retain(|_, failures| failures.first_at > median);
        }
    }

    fn key(&self, user: &str, address: IpAddr) -> LockoutKey {
        (self.hasher.hash_one(user), subscriber_network(address))
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<LockoutKey, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reduces an IPv6 address to its /64 network, because a single subscriber usually has a whole
/// /64.
fn subscriber_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lockout() -> Lockout {
        Lockout::new(LockoutPolicy {
            attempts: 3,
            window: Duration::from_secs(60),
            duration: Duration::from_secs(30),
        })
    }

    fn address(last_octet: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last_octet])
    }

    #[test]
    fn lockout_ends_and_does_not_affect_other_users_or_addresses() {
        let (lockout, start) = (lockout(), Instant::now());
        let caused_lockout: Vec<bool> = (0..3)
            .map(|_| lockout.record_failure("a", address(1), start))
            .collect();
        assert_eq!(caused_lockout, [false, false, true]);
        let remaining = |user, last_octet, seconds| {
            lockout.remaining(
                user,
                address(last_octet),
                start + Duration::from_secs(seconds),
            )
        };
        assert_eq!(remaining("a", 1, 10), Some(Duration::from_secs(20)));
        assert_eq!(remaining("a", 1, 30), None);
        assert_eq!(remaining("a", 2, 10), None);
        assert_eq!(remaining("b", 1, 10), None);
        let after_lockout = start + Duration::from_secs(31);
        assert!(
            !lockout.record_failure("a", address(1), after_lockout),
            "the count restarts after a lockout"
        );
    }

    #[test]
    fn failures_outside_the_window_do_not_count() {
        let (lockout, start) = (lockout(), Instant::now());
        assert!(!lockout.record_failure("a", address(1), start));
        assert!(!lockout.record_failure("a", address(1), start));
        assert!(!lockout.record_failure("a", address(1), start + Duration::from_secs(61)));
    }

    #[test]
    fn failure_table_never_exceeds_its_capacity() {
        let (lockout, start) = (lockout(), Instant::now());
        for n in 0..3 * CAPACITY {
            let now = start + Duration::from_micros(n as u64);
            lockout.record_failure(&n.to_string(), address(1), now);
        }
        assert!(lockout.failures().len() <= CAPACITY);
    }

    #[test]
    fn addresses_in_the_same_ipv6_network_share_a_lockout() {
        let (lockout, start) = (lockout(), Instant::now());
        for host in 0..3 {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host);
            lockout.record_failure("a", address.into(), start);
        }
        let same_network = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9);
        assert!(lockout.remaining("a", same_network.into(), start).is_some());
    }
}
