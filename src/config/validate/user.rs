//! `[[organization.NAME.user]]`

use std::sync::Arc;

use super::limits;
use super::network::networks;
use super::text::check_line;
use crate::api;
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::organizations::{Account, AccountSecret, Organization, PasswordDigest, StoredPassword};

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
            mistakes.ok_or_add(&format!("{key}.username"), check_line(name));
        }
    }
    let password = password(key, table, mistakes);
    for action in &table.actions {
        let (permissions, names) = (api::permissions(), api::action_names());
        let name = action.to_ascii_lowercase();
        // Every account may perform some of the actions, but listing them is no mistake.
        let is_known = permissions.contains(&&*name) || names.contains(&&*name);
        if action != "*" && !is_known {
            let message = format!("\"{action}\" is not one of *, {}", permissions.join(", "));
            mistakes.add(format!("{key}.actions"), message);
        }
    }
    let allows_all = table.actions.iter().any(|action| action == "*");
    let actions = table
        .actions
        .iter()
        .map(|action| action.to_ascii_lowercase());
    let allow_from = networks(&format!("{key}.allow_from"), &table.allow_from, mistakes);
    let limits = limits::validate(key, table, organization.as_deref(), mistakes);
    let secret = AccountSecret::Password(password?);
    Some(Account {
        actions: (!allows_all).then(|| actions.collect()),
        allow_from,
        limits,
        ..Account::new(table.username.clone()?, organization?, secret)
    })
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
            mistakes.ok_or_add(&format!("{key}.password"), check_line(&password.0))?;
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
