//! Orders the changes of one membership.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::state::MemberKey;

/// Number of locks. Memberships that share a lock only wait for each other unnecessarily.
const LOCKS: usize = 1024;

/// Locks for memberships. A change that depends on the member's current state looks at the
/// member and sends the change without any other change in between. All other changes of a
/// membership can be sent at the same time.
#[derive(Debug)]
pub(super) struct MembershipLocks {
    locks: Box<[RwLock<()>]>,
    hasher: RandomState,
}

/// A lock on a membership.
#[derive(Debug)]
pub(super) enum MembershipGuard<'a> {
    /// Other changes may be sent at the same time.
    Shared { _guard: RwLockReadGuard<'a, ()> },
    /// No other change is sent.
    Exclusive { _guard: RwLockWriteGuard<'a, ()> },
}

impl MembershipLocks {
    pub(super) fn new() -> Self {
        Self {
            locks: (0..LOCKS).map(|_| RwLock::new(())).collect(),
            hasher: RandomState::new(),
        }
    }

    pub(super) async fn shared(&self, key: &MemberKey) -> MembershipGuard<'_> {
        MembershipGuard::Shared {
            _guard: self.lock_of(key).read().await,
        }
    }

    pub(super) async fn exclusive(&self, key: &MemberKey) -> MembershipGuard<'_> {
        MembershipGuard::Exclusive {
            _guard: self.lock_of(key).write().await,
        }
    }

    fn lock_of(&self, key: &MemberKey) -> &RwLock<()> {
        let hash = self.hasher.hash_one(key) as usize;
        &self.locks[hash % LOCKS]
    }
}
