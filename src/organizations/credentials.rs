//! Passwords: what is stored, and whether what was presented fits.
//!
//! All stored forms come down to the lower-case MD5 hex of the password, since
//! a request may bring either the password or its MD5.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use blake2::Blake2sMac256;
use blake2::digest::{KeyInit, Mac};
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Lower-case MD5 hex of a password. As good as the password itself, so it is
/// treated as one.
#[derive(Clone)]
pub struct PasswordDigest(Zeroizing<String>);

impl PasswordDigest {
    /// The digest of a password in plain text.
    #[must_use]
    pub fn of(password: &str) -> Self {
        Self(Zeroizing::new(format!(
            "{:x}",
            HexBytes(&Md5::digest(password))
        )))
    }

    /// From its own 32 hex digits, in either case.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let is_digest = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| Self(Zeroizing::new(text.to_ascii_lowercase())))
    }

    fn equals(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// The argon2id hash of this digest in PHC form, as `password_hash` holds
    /// it. Takes tens of milliseconds.
    ///
    /// # Errors
    /// When the operating system gives no random salt.
    pub fn hash(&self) -> Result<String, argon2::password_hash::Error> {
        Ok(hasher().hash_password(self.0.as_bytes())?.to_string())
    }
}

impl fmt::Debug for PasswordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

struct HexBytes<'a>(&'a [u8]);

impl fmt::LowerHex for HexBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// What the configuration holds of a user's password.
#[derive(Clone)]
pub enum StoredPassword {
    /// From `password` or `password_md5`.
    Digest(PasswordDigest),
    /// From `password_hash`: argon2id of the digest, in PHC form.
    Hash(Box<str>),
}

impl StoredPassword {
    /// Whether the same stands in the configuration.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Digest(this), Self::Digest(other)) => this.equals(other),
            (Self::Hash(this), Self::Hash(other)) => this == other,
            (Self::Digest(_), Self::Hash(_)) | (Self::Hash(_), Self::Digest(_)) => false,
        }
    }

    /// Takes an argon2id hash in PHC form.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn hash(text: &str) -> Result<Self, &'static str> {
        match PasswordHash::new(text) {
            Ok(hash)
                if hash.algorithm == argon2::ARGON2ID_IDENT
                    && hash.version.is_none_or(|version| version == 19)
                    && hash.salt.is_some()
                    && hash.hash.is_some()
                    && Params::try_from(&hash).is_ok() =>
            {
                Ok(Self::Hash(text.into()))
            }
            _ => Err("is not an argon2id hash as `ami-bridge hash-password` prints it"),
        }
    }
}

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Passwords that may wait to be checked at once: about a second's worth.
const MAX_WAITING: usize = 64;

/// More passwords wait to be checked than can be in good time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyLogins;

/// How long a password that was verified is remembered.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);

/// A password that was verified, as a digest that only this process can make.
struct Verified {
    tag: [u8; 32],
    at: Instant,
}

/// Checks passwords: slow hashes on blocking threads, few at a time, and a
/// hash that was verified once is remembered as a keyed digest.
pub struct Verifier {
    key: Zeroizing<[u8; 32]>,
    /// At most one for each user of the configuration.
    verified: Mutex<HashMap<String, Verified>>,
    slots: Semaphore,
    /// Places of those who wait for a slot.
    places: Semaphore,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier with a key of its own.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn new() -> Result<Self, argon2::password_hash::Error> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).map_err(|_| argon2::password_hash::Error::Crypto)?;
        let slots = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            key,
            verified: Mutex::default(),
            slots: Semaphore::new(slots),
            places: Semaphore::new(MAX_WAITING),
        })
    }

    /// Whether the presented password was verified before. Takes no time worth
    /// telling, whatever the answer.
    #[must_use]
    pub fn remembers(&self, username: &str, presented: &str) -> bool {
        let verified = self.lock();
        let Some(known) = verified.get(username) else {
            return false;
        };
        known.at.elapsed() < REMEMBERED
            && candidates(presented)
                .iter()
                .any(|candidate| self.tag(candidate).as_slice().ct_eq(&known.tag).into())
    }

    /// Whether the presented password is this user's; `stored` is `None` for a
    /// user that does not exist, which is refused in the same time.
    ///
    /// # Errors
    /// [`TooManyLogins`] where too many others wait for theirs.
    pub async fn verify(
        &self,
        username: &str,
        presented: &str,
        stored: Option<&StoredPassword>,
    ) -> Result<bool, TooManyLogins> {
        let _place = self.places.try_acquire().map_err(|_| TooManyLogins)?;
        let candidates = candidates(presented);
        let matching = match stored {
            Some(StoredPassword::Hash(hash)) => self.matching_hash(candidates, hash.clone()).await,
            Some(StoredPassword::Digest(digest)) => {
                match candidates.iter().find(|candidate| candidate.equals(digest)) {
                    Some(matching) => Some(matching.clone()),
                    None => self.refuse_slowly(candidates).await,
                }
            }
            None => self.refuse_slowly(candidates).await,
        };
        if let Some(matching) = &matching {
            let verified = Verified {
                tag: self.tag(matching),
                at: Instant::now(),
            };
            self.lock().insert(username.to_owned(), verified);
        }
        Ok(matching.is_some())
    }

    async fn refuse_slowly(&self, candidates: Vec<PasswordDigest>) -> Option<PasswordDigest> {
        self.matching_hash(candidates, DECOY.into()).await;
        None
    }

    async fn matching_hash(
        &self,
        candidates: Vec<PasswordDigest>,
        hash: Box<str>,
    ) -> Option<PasswordDigest> {
        let _slot = self.slots.acquire().await.ok()?;
        let matching = tokio::task::spawn_blocking(move || {
            let hash = PasswordHash::new(&hash).ok()?;
            candidates
                .into_iter()
                .find(|candidate| hash_matches(candidate, &hash))
        });
        matching.await.ok()?
    }

    fn tag(&self, candidate: &PasswordDigest) -> [u8; 32] {
        let Ok(mut mac) = Blake2sMac256::new_from_slice(self.key.as_slice()) else {
            unreachable!("a key of 32 bytes fits BLAKE2s");
        };
        mac.update(candidate.0.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Verified>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checked in place of a hash for users that have none or don't exist, so that all
/// refusals take the same time. Not made anew at each start: the allocator would then
/// keep as much free memory as that took, for good.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$tcxNjazJmGLKfLEUiUq29w$YOEoAU\
    4maBCZ7aNVzZoL5Wn33l1/iljKE5vP1doomy4";

/// Rooms of 32 MiB and more are mapped each on its own and given back at once;
/// smaller ones stay with the allocator, once in each of its arenas.
const ROOM: usize = 33 * 1024 * 1024 / Block::SIZE;

fn hash_matches(candidate: &PasswordDigest, hash: &PasswordHash) -> bool {
    let (Ok(params), Some(salt), Some(expected)) = (Params::try_from(hash), &hash.salt, &hash.hash)
    else {
        return false;
    };
    let mut room = Vec::with_capacity(params.block_count().max(ROOM));
    room.resize(params.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = vec![0; expected.len()];
    let password = candidate.0.as_bytes();
    argon2
        .hash_password_into_with_memory(password, salt, &mut output, &mut room)
        .is_ok_and(|()| output.ct_eq(expected.as_bytes()).into())
}

/// What a presented password may be: the password, or its MD5 (or a password
/// that looks like one).
fn candidates(presented: &str) -> Vec<PasswordDigest> {
    let digest = PasswordDigest::from_hex(presented);
    digest
        .into_iter()
        .chain([PasswordDigest::of(presented)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decoy_costs_as_much_as_a_hash_of_ours() {
        let params = |hash: &str| {
            let hash = PasswordHash::new(hash).expect("a hash");
            Params::try_from(&hash).expect("parameters")
        };
        let ours = PasswordDigest::of("any").hash().expect("random bytes");
        assert_eq!(params(DECOY), params(&ours));
        assert_eq!(DECOY.len(), ours.len());
    }
}
