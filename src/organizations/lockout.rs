//! Slows down password guessing. After too many failed logins from an address, the user is
//! locked out from that address for a while.
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

/// When a user is locked out, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct LockoutPolicy {
    /// Number of failed logins that cause a lockout.
    pub attempts: u32,
    /// Window in which the failed logins must happen to cause a lockout.
    pub window: Duration,
    /// How long a lockout lasts.
    pub duration: Duration,
}

/// Maximum number of entries in the table of failures. If an attacker makes up users and
/// addresses, the oldest entries are removed and the table does not grow.
const CAPACITY: usize = 10_000;

/// Counts failed logins, and serializes password checks for the same user and address.
#[derive(Debug)]
pub struct Lockout {
    policy: Mutex<LockoutPolicy>,
    failures: Mutex<HashMap<LockoutKey, Failures>>,
    /// The users and addresses with a running password check. Other checks of the same user
    /// from the same address wait for the lock.
    checks: Mutex<HashMap<LockoutKey, Arc<tokio::sync::Mutex<()>>>>,
    hasher: RandomState,
}

/// A hashed username, and an address. The hash bounds the memory that long usernames take.
type LockoutKey = (u64, IpAddr);

/// Permission to check a password of one user from one address. The next check waits until
/// this is dropped.
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
        // If only the table refers to the lock, no other check waits for it.
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
    first: Instant,
    locked_until: Option<Instant>,
}

impl Failures {
    /// Whether the lockout has ended, or the window has passed without a lockout.
    fn has_expired(&self, window: Duration, now: Instant) -> bool {
        match self.locked_until {
            Some(until) => until <= now,
            None => now.duration_since(self.first) > window,
        }
    }
}

impl Lockout {
    /// Creates a table without failures.
    #[must_use]
    pub fn new(policy: LockoutPolicy) -> Self {
        Self {
            policy: Mutex::new(policy),
            failures: Mutex::default(),
            checks: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Replaces the policy. Failures that were already counted remain.
    pub fn set_policy(&self, policy: LockoutPolicy) {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    fn policy(&self) -> LockoutPolicy {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how much longer the user is locked out from this address; `None` if the user
    /// is not.
    #[must_use]
    pub fn remaining(&self, user: &str, address: IpAddr, now: Instant) -> Option<Duration> {
        let until = self
            .failures()
            .get(&self.key(user, address))?
            .locked_until?;
        let remaining = until.saturating_duration_since(now);
        (!remaining.is_zero()).then_some(remaining)
    }

    /// Whether a password check of this user from this address is running.
    #[must_use]
    pub fn is_checking(&self, user: &str, address: IpAddr) -> bool {
        self.checks().contains_key(&self.key(user, address))
    }

    /// Waits for permission to check a password. Simultaneous guesses are checked one after
    /// another, so that each check sees the earlier failures.
    pub async fn acquire(&self, user: &str, address: IpAddr) -> CheckPermit<'_> {
        let key = self.key(user, address);
        let lock = Arc::clone(self.checks().entry(key).or_default());
        // Created before the wait: if the caller is canceled, dropping it cleans the table.
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
        let fresh = Failures {
            count: 0,
            first: now,
            locked_until: None,
        };
        let policy = self.policy();
        let entry = table.entry(key).or_insert(fresh);
        if entry.has_expired(policy.window, now) {
            *entry = fresh;
        }
        entry.count += 1;
        let locks_out = entry.count >= policy.attempts && entry.locked_until.is_none();
        if locks_out {
            entry.locked_until = Some(now + policy.duration);
        }
        locks_out
    }

    fn make_room(&self, table: &mut HashMap<LockoutKey, Failures>, now: Instant) {
        let window = self.policy().window;
        table.retain(|_, failures| !failures.has_expired(window, now));
        if table.len() >= CAPACITY {
            let mut ages: Vec<Instant> = table.values().map(|failures| failures.first).collect();
            // Removes half of the entries, so that an attacker does not cause this search for
            // each failure.
            let (_, median, _) = ages.select_nth_unstable(CAPACITY / 2);
            let median = *median;
            table.retain(|_, failures| failures.first > median);
        }
    }

    fn key(&self, user: &str, address: IpAddr) -> LockoutKey {
        (self.hasher.hash_one(user), subscriber_address(address))
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<LockoutKey, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reduces an IPv6 address to its /64 network, since a single subscriber usually has a whole
/// /64.
fn subscriber_address(address: IpAddr) -> IpAddr {
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

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn lockout_ends_and_does_not_affect_other_users_or_addresses() {
        let (lockout, start) = (lockout(), Instant::now());
        let locked: Vec<bool> = (0..3)
            .map(|_| lockout.record_failure("a", address(1), start))
            .collect();
        assert_eq!(locked, [false, false, true]);
        let remaining = |user, last, seconds| {
            lockout.remaining(user, address(last), start + Duration::from_secs(seconds))
        };
        assert_eq!(remaining("a", 1, 10), Some(Duration::from_secs(20)));
        assert_eq!(remaining("a", 1, 30), None);
        assert_eq!(remaining("a", 2, 10), None);
        assert_eq!(remaining("b", 1, 10), None);
        let after = start + Duration::from_secs(31);
        assert!(
            !lockout.record_failure("a", address(1), after),
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
    fn table_does_not_grow_beyond_its_capacity() {
        let (lockout, start) = (lockout(), Instant::now());
        for n in 0..3 * CAPACITY {
            let now = start + Duration::from_micros(n as u64);
            lockout.record_failure(&n.to_string(), address(1), now);
        }
        assert!(lockout.failures().len() <= CAPACITY);
    }

    #[test]
    fn addresses_of_the_same_ipv6_network_share_a_lockout() {
        let (lockout, start) = (lockout(), Instant::now());
        for host in 0..3 {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host);
            lockout.record_failure("a", address.into(), start);
        }
        let other = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9);
        assert!(lockout.remaining("a", other.into(), start).is_some());
    }
}
