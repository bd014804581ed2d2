//! The users and tokens of an organization.

use std::collections::HashSet;
use std::sync::Arc;

use super::{token, user};
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::organizations::{Account, AccountSecret, Organization, TokenHash};

/// Collects the accounts of all organizations, and finds those that are not unique.
#[derive(Default)]
pub(super) struct AccountCollector {
    accounts: Vec<Account>,
    usernames: HashSet<String>,
    hashes: HashSet<TokenHash>,
}

impl AccountCollector {
    /// Validates the users and tokens of the organization `name`. `organization` is `None` if
    /// the organization itself has a mistake.
    pub(super) fn add(
        &mut self,
        name: &str,
        table: &file::Organization,
        organization: Option<&Arc<Organization>>,
        mistakes: &mut Mistakes,
    ) {
        let tokens_key = format!("organization.{name}.token");
        let has_tokens = !table.token.is_empty() || mistakes.includes(&tokens_key);
        if table.user.is_empty() && !has_tokens {
            let key = format!("organization.{name}.user");
            let hint = "add at least one [[organization.NAME.user]] or [[organization.NAME.token]]";
            mistakes.add_missing(&key, hint);
        }
        for (index, table) in table.user.iter().enumerate() {
            let key = format!("organization.{name}.user[{index}]");
            if let Some(username) = &table.username
                && !self.usernames.insert(username.clone())
            {
                let message = "is already the name of another user";
                mistakes.add(format!("{key}.username"), message);
            }
            let user = user::validate(&key, table, organization.cloned(), mistakes);
            self.accounts.extend(user);
        }
        let mut names = HashSet::new();
        for (index, table) in table.token.iter().enumerate() {
            let key = format!("{tokens_key}[{index}]");
            if table.name.as_ref().is_some_and(|name| !names.insert(name)) {
                let message = "is already the name of another token of this organization";
                mistakes.add(format!("{key}.name"), message);
            }
            let token = token::validate(&key, table, organization.cloned(), mistakes);
            if let Some(AccountSecret::Token(hash)) = token.as_ref().map(|token| &token.secret)
                && !self.hashes.insert(hash.clone())
            {
                let message = "is already the hash of another token";
                mistakes.add(format!("{key}.token_hash"), message);
            }
            self.accounts.extend(token);
        }
    }

    /// Returns the valid accounts.
    pub(super) fn into_accounts(self) -> Vec<Account> {
        self.accounts
    }
}
