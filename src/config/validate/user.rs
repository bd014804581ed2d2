//! `[[organization.NAME.user]]`

use std::sync::Arc;

use super::rights::{self, Rights};
use super::text::check_line;
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::organizations::{
    Account, AccountSecret, Organization, PasswordDigest, StoredPassword, TOKEN_NAME_PREFIX,
    TOKEN_PREFIX,
};

/// Validates a user. `key` is the user's table, such as `organization.acme.user[0]`.
pub(super) fn validate(
    key: &str,
    table: &file::User,
    organization: Option<Arc<Organization>>,
    mistakes: &mut Mistakes,
) -> Option<Account> {
    match &table.username {
        None => mistakes.add_missing(&format!("{key}.username"), "the name to log in with"),
        Some(name) => {
            mistakes.ok_or_add(&format!("{key}.username"), check_name(name));
        }
    }
    let password = password(key, table, mistakes);
    let rights = rights::validate(key, table.into(), organization.as_deref(), mistakes);
    let Rights {
        actions,
        allow_from,
        limits,
    } = rights;
    let secret = AccountSecret::Password(password?);
    Some(Account {
        actions,
        allow_from,
        limits,
        ..Account::new(table.username.clone()?, organization?, secret)
    })
}

fn check_name(name: &str) -> Result<(), String> {
    if name.starts_with(TOKEN_NAME_PREFIX) {
        return Err(format!(
            "must not begin with {TOKEN_NAME_PREFIX}, which marks tokens in logs"
        ));
    }
    check_parameter(name)
}

/// Checks a user name or a password. Both are parameters of requests, which refuse tokens.
fn check_parameter(text: &str) -> Result<(), String> {
    if text.starts_with(TOKEN_PREFIX) {
        return Err(format!("must not begin with {TOKEN_PREFIX}, as tokens do"));
    }
    check_line(text)
}

fn password(key: &str, table: &file::User, mistakes: &mut Mistakes) -> Option<StoredPassword> {
    match (&table.password_hash, &table.password_md5, &table.password) {
        (Some(hash), None, None) => mistakes.ok_or_add(
            &format!("{key}.password_hash"),
            StoredPassword::parse_hash(&hash.0),
        ),
        (None, Some(md5), None) => {
            let digest = PasswordDigest::from_hex(&md5.0).map(StoredPassword::Digest);
            let message = "must be the 32 hex digits of the password's MD5";
            mistakes.ok_or_add(&format!("{key}.password_md5"), digest.ok_or(message))
        }
        (None, None, Some(password)) => {
            mistakes.ok_or_add(&format!("{key}.password"), check_parameter(&password.0))?;
            Some(StoredPassword::Digest(PasswordDigest::of(&password.0)))
        }
        (None, None, None) => {
            let hint = "set password_hash (see `ami-bridge hash-password`), password_md5 or \
                        password";
            mistakes.add_missing(&format!("{key}.password"), hint);
            None
        }
        _ => {
            let message = "set only one of password_hash, password_md5 and password";
            mistakes.add(format!("{key}.password"), message);
            None
        }
    }
}
