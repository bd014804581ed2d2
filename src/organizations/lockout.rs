//! Slows down who guesses passwords: too many failures of one user from one
//! address refuse that pair, and no other, for a while. A login that succeeds
//! forgives nothing: behind one address a panel that polls would otherwise hide
//! whoever guesses.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;

/// When to refuse, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct LockoutPolicy {
    /// Failures …
    pub attempts: u32,
    /// … within this time …
    pub window: Duration,
    /// … refuse for this long.
    pub duration: Duration,
}

/// Pairs that are remembered at once. A spray of made-up users and addresses
/// pushes the oldest out and can't grow the table.
const CAPACITY: usize = 10_000;

/// The failures of the recent past.
#[derive(Debug)]
pub struct Lockout {
    policy: Mutex<LockoutPolicy>,
    /// Keyed by hash: user names of any length take the same memory.
    failures: Mutex<HashMap<Pair, Failures>>,
    /// Pairs of which a password is being checked.
    gates: Mutex<HashMap<Pair, Arc<tokio::sync::Mutex<()>>>>,
    hasher: RandomState,
}

/// A user, hashed, and an address.
type Pair = (u64, IpAddr);

/// The right to check a password of one user from one address; the next one
/// waits for it.
#[derive(Debug)]
pub struct Gate<'a> {
    lockout: &'a Lockout,
    pair: Pair,
    held: Option<OwnedMutexGuard<()>>,
}

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        let mut gates = self.lockout.gates();
        drop(self.held.take());
        // Held by the table alone: nobody waits.
        if gates
            .get(&self.pair)
            .is_some_and(|gate| Arc::strong_count(gate) == 1)
        {
            gates.remove(&self.pair);
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    first: Instant,
    locked_until: Option<Instant>,
}

impl Failures {
    fn is_over(&self, window: Duration, now: Instant) -> bool {
        match self.locked_until {
            Some(until) => until <= now,
            None => now.duration_since(self.first) > window,
        }
    }
}

impl Lockout {
    /// Nobody is locked out yet.
    #[must_use]
    pub fn new(policy: LockoutPolicy) -> Self {
        Self {
            policy: Mutex::new(policy),
            failures: Mutex::default(),
            gates: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Counts by another policy from now on; what was counted stays.
    pub fn set_policy(&self, policy: LockoutPolicy) {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    fn policy(&self) -> LockoutPolicy {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how much longer this user is refused from this address.
    #[must_use]
    pub fn remaining(&self, user: &str, address: IpAddr, now: Instant) -> Option<Duration> {
        let until = self.lock().get(&self.key(user, address))?.locked_until?;
        let remaining = until.saturating_duration_since(now);
        (!remaining.is_zero()).then_some(remaining)
    }

    /// Whether a password of this user from this address is being checked now.
    #[must_use]
    pub fn is_checking(&self, user: &str, address: IpAddr) -> bool {
        self.gates().contains_key(&self.key(user, address))
    }

    /// Waits for the right to check a password. Guesses that come at once are
    /// checked one after another, so that each sees the failures before it.
    pub async fn gate(&self, user: &str, address: IpAddr) -> Gate<'_> {
        let pair = self.key(user, address);
        let lock = Arc::clone(self.gates().entry(pair).or_default());
        // Before the wait, so that whoever gives it up leaves nothing behind.
        let mut gate = Gate {
            lockout: self,
            pair,
            held: None,
        };
        gate.held = Some(lock.lock_owned().await);
        gate
    }

    fn gates(&self) -> MutexGuard<'_, HashMap<Pair, Arc<tokio::sync::Mutex<()>>>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a failure; true when it is the one that locks out.
    pub fn failed(&self, user: &str, address: IpAddr, now: Instant) -> bool {
        let key = self.key(user, address);
        let mut table = self.lock();
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
        if entry.is_over(policy.window, now) {
            *entry = fresh;
        }
        entry.count += 1;
        let locks = entry.count >= policy.attempts && entry.locked_until.is_none();
        if locks {
            entry.locked_until = Some(now + policy.duration);
        }
        locks
    }

    fn make_room(&self, table: &mut HashMap<Pair, Failures>, now: Instant) {
        let window = self.policy().window;
        table.retain(|_, failures| !failures.is_over(window, now));
        if table.len() >= CAPACITY {
            let mut ages: Vec<Instant> = table.values().map(|failures| failures.first).collect();
            // Half at once, so that a spray does not sort the table each time.
            let (_, median, _) = ages.select_nth_unstable(CAPACITY / 2);
            let median = *median;
            table.retain(|_, failures| failures.first > median);
        }
    }

    fn key(&self, user: &str, address: IpAddr) -> Pair {
        (self.hasher.hash_one(user), network(address))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Pair, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One subscriber has a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
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
    fn only_the_pair_that_failed_is_refused_and_only_for_a_while() {
        let (lockout, start) = (lockout(), Instant::now());
        let locked: Vec<bool> = (0..3)
            .map(|_| lockout.failed("a", address(1), start))
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
        assert!(!lockout.failed("a", address(1), after), "counts anew");
    }

    #[test]
    fn failures_beyond_the_window_do_not_count() {
        let (lockout, start) = (lockout(), Instant::now());
        assert!(!lockout.failed("a", address(1), start));
        assert!(!lockout.failed("a", address(1), start));
        assert!(!lockout.failed("a", address(1), start + Duration::from_secs(61)));
    }

    #[test]
    fn a_spray_does_not_grow_the_table() {
        let (lockout, start) = (lockout(), Instant::now());
        for n in 0..3 * CAPACITY {
            let now = start + Duration::from_micros(n as u64);
            lockout.failed(&n.to_string(), address(1), now);
        }
        assert!(lockout.lock().len() <= CAPACITY);
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let (lockout, start) = (lockout(), Instant::now());
        for host in 0..3 {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host);
            lockout.failed("a", address.into(), start);
        }
        let other = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9);
        assert!(lockout.remaining("a", other.into(), start).is_some());
    }
}
