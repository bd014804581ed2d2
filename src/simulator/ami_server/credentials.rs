//! Checks the credentials of a Login action.

use md5::{Digest, Md5};

use super::request::ActionRequest;
use super::users::AmiUser;

/// Returns a random challenge for an MD5 login.
pub(crate) fn new_challenge() -> String {
    fastrand::u32(100_000_000..1_000_000_000).to_string()
}

/// Returns true if the request contains the user's secret, or the MD5 digest of the challenge
/// and the secret. `challenge` is empty if the client has not requested a challenge.
pub(crate) fn are_valid(user: &AmiUser, challenge: &str, request: &ActionRequest) -> bool {
    match request.get("Key") {
        Some(key) => {
            let digest = Md5::new()
                .chain_update(challenge)
                .chain_update(&user.secret)
                .finalize();
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            !challenge.is_empty() && key == hex
        }
        None => request.get("Secret") == Some(&user.secret),
    }
}
