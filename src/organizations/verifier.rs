//! Verifies passwords.
//!
//! An argon2 hash takes tens of milliseconds of CPU time. Hashes are therefore computed on
//! blocking threads, only a few at a time, and verified passwords are cached. Simultaneous logins
//! with the same password share one hash: after a restart, all panels of a user log in at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use blake2::Blake2sMac256;
use blake2::digest::{KeyInit, Mac};
use subtle::ConstantTimeEq;
use tokio::sync::{OnceCell, Semaphore};
use zeroize::Zeroizing;

use super::password::{PasswordDigest, StoredPassword};

/// Maximum number of logins that are being verified or waiting. Verifying this many takes
/// about a second.
const MAX_PENDING_LOGINS: usize = 64;

/// How long a verified password is cached.
const CACHE_DURATION: Duration = Duration::from_secs(15 * 60);

/// The error for a login that was refused because too many other logins are pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyLogins;

/// The keyed hash of a verified password. The key never leaves this process.
struct VerifiedPassword {
    tag: [u8; 32],
    verified_at: Instant,
}

/// A username and the keyed hash of the client's text.
type LoginKey = (String, [u8; 32]);

/// A login that is being verified. Its result is shared by all logins with the same key.
struct SharedLogin<'a> {
    verifier: &'a Verifier,
    key: LoginKey,
    result: Arc<OnceCell<bool>>,
}

impl Drop for SharedLogin<'_> {
    fn drop(&mut self) {
        let mut running = self.verifier.lock_running();
        // Dropped before the lock is released, so that one of several logins that end at once sees
        // that it is the last.
        let result = std::mem::take(&mut self.result);
        // Otherwise, another login continues this one.
        let is_last = Arc::strong_count(&result) == 2;
        let is_running = |running: &Arc<OnceCell<bool>>| Arc::ptr_eq(running, &result);
        if (is_last || result.initialized()) && running.get(&self.key).is_some_and(is_running) {
            running.remove(&self.key);
        }
    }
}

/// Verifies passwords, and caches verified passwords.
pub struct Verifier {
    key: Zeroizing<[u8; 32]>,
    /// The cache, by username. It has at most one entry for each configured user.
    cache: Mutex<HashMap<String, VerifiedPassword>>,
    /// The logins that are being verified.
    running: Mutex<HashMap<LoginKey, Arc<OnceCell<bool>>>>,
    /// Limits concurrent hash computations to one per CPU.
    hashing: Semaphore,
    /// Limits the pending logins to [`MAX_PENDING_LOGINS`].
    pending: Semaphore,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl Verifier {
    /// Creates a verifier with an empty cache and a random key.
    ///
    /// # Errors
    /// Returns an error if the operating system can't provide random bytes.
    pub fn new() -> Result<Self, argon2::password_hash::Error> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).map_err(|_| argon2::password_hash::Error::Crypto)?;
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            key,
            cache: Mutex::default(),
            running: Mutex::default(),
            hashing: Semaphore::new(cpus),
            pending: Semaphore::new(MAX_PENDING_LOGINS),
        })
    }

    /// Returns true if [`verify`](Self::verify) has accepted this password in the last 15
    /// minutes. Takes only microseconds.
    #[must_use]
    pub fn has_verified(&self, username: &str, password: &str) -> bool {
        let cache = self.lock_cache();
        let Some(cached) = cache.get(username) else {
            return false;
        };
        cached.verified_at.elapsed() < CACHE_DURATION
            && candidates(password)
                .iter()
                .any(|candidate| self.tag(candidate).as_slice().ct_eq(&cached.tag).into())
    }

    /// Verifies a password against the stored password. For an unknown user, `stored` is
    /// `None`, and the refusal takes as long as for a wrong password.
    ///
    /// Logins with the same username and the same text that are verified at the same time share the
    /// result.
    ///
    /// # Errors
    /// Returns [`TooManyLogins`] if 64 different logins are pending.
    pub async fn verify(
        &self,
        username: &str,
        password: &str,
        stored: Option<&StoredPassword>,
    ) -> Result<bool, TooManyLogins> {
        let key = (username.to_owned(), self.tag(&PasswordDigest::of(password)));
        let result = Arc::clone(self.lock_running().entry(key.clone()).or_default());
        let login = SharedLogin {
            verifier: self,
            key,
            result,
        };
        let verify = || self.verify_alone(username, password, stored);
        login.result.get_or_try_init(verify).await.copied()
    }

    async fn verify_alone(
        &self,
        username: &str,
        password: &str,
        stored: Option<&StoredPassword>,
    ) -> Result<bool, TooManyLogins> {
        let _pending = self.pending.try_acquire().map_err(|_| TooManyLogins)?;
        let candidates = candidates(password);
        let matching = match stored {
            Some(StoredPassword::Hash(hash)) => self.find_by_hash(candidates, hash.clone()).await,
            Some(StoredPassword::Digest(digest)) => {
                match candidates.iter().find(|candidate| candidate.equals(digest)) {
                    Some(matching) => Some(matching.clone()),
                    None => self.refuse_slowly(candidates).await,
                }
            }
            None => self.refuse_slowly(candidates).await,
        };
        if let Some(matching) = &matching {
            let verified = VerifiedPassword {
                tag: self.tag(matching),
                verified_at: Instant::now(),
            };
            self.lock_cache().insert(username.to_owned(), verified);
        }
        Ok(matching.is_some())
    }

    /// Returns `None`, but takes as long as comparing a wrong password with a stored hash.
    async fn refuse_slowly(&self, candidates: Vec<PasswordDigest>) -> Option<PasswordDigest> {
        self.find_by_hash(candidates, DECOY_HASH.into()).await;
        None
    }

    /// Returns the candidate that matches the hash.
    async fn find_by_hash(
        &self,
        candidates: Vec<PasswordDigest>,
        hash: Box<str>,
    ) -> Option<PasswordDigest> {
        let _permit = self.hashing.acquire().await.ok()?;
        let matching = tokio::task::spawn_blocking(move || {
            let hash = PasswordHash::new(&hash).ok()?;
            candidates
                .into_iter()
                .find(|candidate| hash_matches(candidate, &hash))
        });
        matching.await.ok()?
    }

    fn tag(&self, digest: &PasswordDigest) -> [u8; 32] {
        let Ok(mut mac) = Blake2sMac256::new_from_slice(self.key.as_slice()) else {
            unreachable!("BLAKE2s accepts a key of 32 bytes");
        };
        mac.update(digest.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn lock_running(&self) -> MutexGuard<'_, HashMap<LoginKey, Arc<OnceCell<bool>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_cache(&self) -> MutexGuard<'_, HashMap<String, VerifiedPassword>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hash that is checked for users who have no stored hash or do not exist, so that all
/// refusals take the same time. It is a constant, because computing it at startup would leave
/// argon2's working memory in the allocator for the life of the process.
const DECOY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$tcxNjazJmGLKfLEUiUq29w$YOEoAU\
    4maBCZ7aNVzZoL5Wn33l1/iljKE5vP1doomy4";

/// Minimum capacity of argon2's working memory, in blocks: 33 MiB. The allocator maps allocations
/// of 32 MiB and more separately, and returns them to the operating system when they are freed.
/// Smaller allocations would stay in the allocator, one in each arena.
const MIN_CAPACITY: usize = 33 * 1024 * 1024 / Block::SIZE;

fn hash_matches(candidate: &PasswordDigest, hash: &PasswordHash) -> bool {
    let (Ok(params), Some(salt), Some(expected)) = (Params::try_from(hash), &hash.salt, &hash.hash)
    else {
        return false;
    };
    let mut memory = Vec::with_capacity(params.block_count().max(MIN_CAPACITY));
    memory.resize(params.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = vec![0; expected.len()];
    let password = candidate.as_bytes();
    argon2
        .hash_password_into_with_memory(password, salt, &mut output, &mut memory)
        .is_ok_and(|()| output.ct_eq(expected.as_bytes()).into())
}

/// Returns the digests that the client's text may represent: the text itself if it looks like
/// an MD5, and always the MD5 of the text.
fn candidates(password: &str) -> Vec<PasswordDigest> {
    let digest = PasswordDigest::from_hex(password);
    digest
        .into_iter()
        .chain([PasswordDigest::of(password)])
        .collect()
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn simultaneous_logins_with_the_same_password_share_one_hash() {
        let verifier = Verifier::new().expect("random bytes");
        let hash = PasswordDigest::of("secret").hash().expect("random bytes");
        let stored = StoredPassword::Hash(hash.into());
        let others = (MAX_PENDING_LOGINS - 1) as u32;
        let _others = verifier.pending.try_acquire_many(others).expect("permits");
        for (password, is_right) in [("secret", true), ("guess", false)] {
            let logins = (0..1000).map(|_| verifier.verify("dana", password, Some(&stored)));
            let results = join_all(logins).await;
            assert!(results.iter().all(|result| *result == Ok(is_right)));
            assert_eq!(verifier.has_verified("dana", password), is_right);
        }
        let different = ["secret", "guess"];
        let logins = different.map(|password| verifier.verify("noa", password, None));
        assert_eq!(join_all(logins).await, [Ok(false), Err(TooManyLogins)]);
        assert!(verifier.lock_running().is_empty());
    }

    #[test]
    fn decoy_hash_costs_as_much_as_a_new_hash() {
        let params = |hash: &str| {
            let hash = PasswordHash::new(hash).expect("a hash");
            Params::try_from(&hash).expect("parameters")
        };
        let new = PasswordDigest::of("any").hash().expect("random bytes");
        assert_eq!(params(DECOY_HASH), params(&new));
        assert_eq!(DECOY_HASH.len(), new.len());
    }
}
