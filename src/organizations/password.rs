//! Passwords, as configured and as sent by clients.
//!
//! A client sends either a password or its MD5, so every stored form is derived from the
//! password's MD5 in lower-case hex.

use std::fmt;

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The MD5 of a password, as 32 lower-case hex digits. It is as secret as the password,
/// because a client can log in with either.
#[derive(Clone)]
pub struct PasswordDigest(Zeroizing<String>);

impl PasswordDigest {
    /// Computes the digest of a password.
    #[must_use]
    pub fn of(password: &str) -> Self {
        // With enough capacity, no copy of the digest is left in freed memory.
        let mut hex = Zeroizing::new(String::with_capacity(32));
        for byte in Md5::digest(password) {
            hex.push(char::from(HEX_DIGITS[usize::from(byte >> 4)]));
            hex.push(char::from(HEX_DIGITS[usize::from(byte & 0xf)]));
        }
        Self(hex)
    }

    /// Parses 32 hex digits, in upper or lower case. Returns `None` for any other text.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let is_digest = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| Self(Zeroizing::new(text.to_ascii_lowercase())))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Compares two digests in constant time.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.as_bytes().ct_eq(other.as_bytes()).into()
    }

    /// Computes the argon2id hash of this digest in PHC string format, for `password_hash`.
    /// Takes tens of milliseconds.
    ///
    /// # Errors
    /// Returns an error if the operating system can't provide a random salt.
    pub fn hash(&self) -> Result<String, argon2::password_hash::Error> {
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT);
        Ok(hasher.hash_password(self.as_bytes())?.to_string())
    }
}

impl fmt::Debug for PasswordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A password, as stored in the configuration.
#[derive(Clone)]
pub enum StoredPassword {
    /// From `password` or `password_md5`.
    Digest(PasswordDigest),
    /// From `password_hash`: the argon2id hash of the digest, in PHC string format.
    Hash(Box<str>),
}

impl StoredPassword {
    /// Parses an argon2id hash in PHC string format.
    ///
    /// # Errors
    /// Returns a message for the operator if the text is not an argon2id hash in PHC string
    /// format.
    pub fn parse_hash(text: &str) -> Result<Self, &'static str> {
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
            _ => Err("is not an argon2id hash as printed by `ami-bridge hash-password`"),
        }
    }

    /// Returns true if both have the same configured value. A hash and a digest are never the
    /// same, even if they are derived from the same password.
    pub(super) fn has_same_value(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Digest(this), Self::Digest(other)) => this.equals(other),
            (Self::Hash(this), Self::Hash(other)) => this == other,
            (Self::Digest(_), Self::Hash(_)) | (Self::Hash(_), Self::Digest(_)) => false,
        }
    }
}

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
