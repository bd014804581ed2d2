//! Tokens, with which programs log in.
//!
//! A token is random, so a plain SHA-256 is enough to store it: there is nothing to guess.

use std::fmt;
use std::hash::{Hash, Hasher};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The beginning of every token, by which people and secret scanners recognize it.
pub const TOKEN_PREFIX: &str = "amib_";

/// The beginning of an account's name if it is a token's account. No username begins with it, so
/// that logs are unambiguous.
pub const TOKEN_NAME_PREFIX: &str = "token:";

/// The beginning of a token's hash in the configuration.
const HASH_PREFIX: &str = "sha256:";

/// The length of a token after [`TOKEN_PREFIX`].
const ENCODED_LENGTH: usize = 43;

/// Returns true if a token is anywhere in the text.
#[must_use]
pub fn contains_token(text: &str) -> bool {
    let is_encoded = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let mut rests = text.split(TOKEN_PREFIX).skip(1);
    rests.any(|rest| rest.bytes().take_while(is_encoded).count() >= ENCODED_LENGTH)
}

/// Makes a token of 256 random bits.
///
/// # Errors
/// Returns an error if the operating system can't provide random bytes.
pub fn create_token() -> Result<Zeroizing<String>, getrandom::Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut())?;
    let text = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice()));
    Ok(Zeroizing::new(format!("{TOKEN_PREFIX}{}", *text)))
}

/// The SHA-256 of a token. Hashes are compared in constant time.
#[derive(Clone)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Computes the hash of a token's whole text.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Parses `sha256:` followed by 64 hex digits in upper or lower case.
    ///
    /// # Errors
    /// Returns a message for the operator if the text is not such a hash.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let digits = text.strip_prefix(HASH_PREFIX);
        let hash = digits.and_then(decode_hex).map(Self);
        hash.ok_or("must be sha256: and 64 hex digits, as printed by `ami-bridge create-token`")
    }
}

fn decode_hex(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    // `from_str_radix` alone would accept a sign.
    if digits.len() != 2 * bytes.len() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl Hash for TokenHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HASH_PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_hash_is_the_sha_256_of_the_whole_text() {
        // From `printf amib_test | sha256sum`.
        let expected = format!("sha256:{HEX}");
        assert_eq!(TokenHash::of("amib_test").to_string(), expected);
        let parsed = TokenHash::parse(&expected.to_uppercase().replace("SHA", "sha"));
        assert_eq!(parsed, Ok(TokenHash::of("amib_test")));
        assert_ne!(parsed, Ok(TokenHash::of("amib_tesT")));
        assert_eq!(format!("{:?}", TokenHash::of("amib_test")), "***");
    }

    #[test]
    fn token_is_found_anywhere_in_a_text() {
        let token = create_token().expect("random bytes");
        for text in ["?", "?x", "6001,?", "Bearer ?", "amib_?"] {
            assert!(contains_token(&text.replace('?', &token)), "{text}");
        }
        let cut = &token[..token.len() - 1];
        for text in ["", "amib_", "amib_lunch", cut, &token[1..]] {
            assert!(!contains_token(text), "{text}");
        }
    }

    #[test]
    fn malformed_token_hash_is_an_error() {
        let hex = HEX;
        for text in [
            "",
            "sha256:",
            hex,
            &format!("sha512:{hex}"),
            &format!("sha256:{hex}00"),
            &format!("sha256: {}", &hex[1..]),
            &format!("sha256:+{}", &hex[1..]),
            &format!("sha256:é{}", &hex[2..]),
            &format!("sha256:g{}", &hex[1..]),
        ] {
            assert!(TokenHash::parse(text).is_err(), "{text}");
        }
    }

    const HEX: &str = "1627b79244085410c227f1bf0428f3f59193c4b759880cdaeb2fa01c0e9bc368";
}
