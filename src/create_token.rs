//! `ami-bridge create-token`: makes a token, and prints it with the lines for the configuration.

use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use crate::organizations::{TokenHash, create_token};

/// The lifetime that the printed lines suggest.
const SUGGESTED_LIFETIME: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Makes a token. Returns the text to print: the token alone in the first line, then lines for
/// the configuration, which contain only its hash.
///
/// # Errors
/// Returns an error if the operating system can't provide random bytes.
pub fn create() -> Result<Zeroizing<String>, getrandom::Error> {
    let token = create_token()?;
    let hash = TokenHash::of(&token);
    let expires = Timestamp::now() + SUGGESTED_LIFETIME;
    let expires = expires.strftime("%Y-%m-%dT00:00:00Z");
    Ok(Zeroizing::new(format!(
        "{}

# The line above is the token. It is shown only once. Give it to the program, which sends it as
# \"Authorization: Bearer amib_…\". Add these lines to the configuration, with the names of your
# organization and of the program:

[[organization.NAME.token]]
name = \"PROGRAM\"
token_hash = \"{hash}\"
# expires = \"{expires}\"
# actions = [\"showqueuestat\", \"events\"]
",
        *token
    )))
}
