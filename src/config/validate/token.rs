//! `[[organization.NAME.token]]`

use std::sync::Arc;

use jiff::Timestamp;

use super::rights::{self, Rights};
use super::value::table_name;
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::organizations::{
    Account, AccountSecret, Organization, TOKEN_NAME_PREFIX, TOKEN_PREFIX, TokenHash,
};

/// Validates a token. `key` is the token's table, such as `organization.acme.token[0]`.
pub(super) fn validate(
    key: &str,
    table: &file::Token,
    organization: Option<Arc<Organization>>,
    mistakes: &mut Mistakes,
) -> Option<Account> {
    let name_key = format!("{key}.name");
    match &table.name {
        None => mistakes.add_missing(&name_key, "the name that logs show, such as \"crm\""),
        Some(name) => {
            mistakes.ok_or_add(&name_key, table_name(name));
        }
    }
    let hash = hash(&format!("{key}.token_hash"), table, mistakes);
    let expires_at = table.expires.as_ref().map(|text| {
        let message = "must be a time with its offset, such as \"2027-06-30T00:00:00Z\"";
        let time = text.parse::<Timestamp>().map_err(|_| message);
        let time = mistakes.ok_or_add(&format!("{key}.expires"), time);
        time.map(Timestamp::as_millisecond)
    });
    let rights = rights::validate(key, table.into(), organization.as_deref(), mistakes);
    let Rights {
        actions,
        allow_from,
        limits,
    } = rights;
    let name = format!("{TOKEN_NAME_PREFIX}{}", table.name.as_ref()?);
    Some(Account {
        // `None` here would turn a mistyped time into a token that never expires.
        expires_at: match expires_at {
            Some(time) => Some(time?),
            None => None,
        },
        actions,
        allow_from,
        limits,
        ..Account::new(name, organization?, AccountSecret::Token(hash?))
    })
}

fn hash(key: &str, table: &file::Token, mistakes: &mut Mistakes) -> Option<TokenHash> {
    let Some(text) = &table.token_hash else {
        mistakes.add_missing(key, "see `ami-bridge create-token`");
        return None;
    };
    if text.0.starts_with(TOKEN_PREFIX) {
        let message = "must be the token's hash, not the token itself: create another token with \
                       `ami-bridge create-token`, because this one has been in a file";
        mistakes.add(key, message);
        return None;
    }
    mistakes.ok_or_add(key, TokenHash::parse(&text.0))
}
