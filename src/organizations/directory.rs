//! The directory of organizations and accounts.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::account::{Account, AccountSecret};
use super::organization::Organization;
use super::password::StoredPassword;
use super::token::{TOKEN_NAME_PREFIX, TokenHash};

/// The configured organizations, users and tokens.
#[derive(Debug, Default)]
pub struct Directory {
    organizations: Vec<Arc<Organization>>,
    users: HashMap<String, Arc<Account>>,
    tokens: HashMap<TokenHash, Arc<Account>>,
}

/// A token that expires or has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpiringToken<'a> {
    /// The organization's name.
    pub organization: &'a str,
    /// The token's name, which is unique in the organization.
    pub name: &'a str,
    /// When the token expires, in Unix milliseconds.
    pub expires_at: i64,
}

impl Directory {
    /// Creates a directory. Usernames and tokens must be unique: if several users have the same
    /// name, or several accounts the same token, only the last account is added.
    #[must_use]
    pub fn new(organizations: Vec<Arc<Organization>>, accounts: Vec<Account>) -> Self {
        let mut directory = Self {
            organizations,
            ..Self::default()
        };
        for account in accounts {
            let account = Arc::new(account);
            match &account.secret {
                AccountSecret::Password(_) => {
                    directory.users.insert(account.name.clone(), account);
                }
                AccountSecret::Token(hash) => {
                    directory.tokens.insert(hash.clone(), account);
                }
            }
        }
        directory
    }

    /// Replaces each unchanged account with its instance from `previous`, so that the account's
    /// event streams stay open. Returns the accounts of `previous` that were changed or removed.
    #[must_use]
    pub fn reuse_unchanged(&mut self, previous: &Self) -> Vec<Arc<Account>> {
        let mut replaced = reuse_equivalent(&mut self.users, &previous.users);
        replaced.extend(reuse_equivalent(&mut self.tokens, &previous.tokens));
        replaced
    }

    /// Returns the user with this username.
    #[must_use]
    pub fn user(&self, username: &str) -> Option<&Arc<Account>> {
        self.users.get(username)
    }

    /// Returns all users, ordered by name.
    pub fn users(&self) -> impl Iterator<Item = &Arc<Account>> {
        let mut users: Vec<_> = self.users.values().collect();
        users.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        users.into_iter()
    }

    /// Returns the account of the token with this hash, even if it has expired.
    #[must_use]
    pub fn token(&self, hash: &TokenHash) -> Option<&Arc<Account>> {
        self.tokens.get(hash)
    }

    /// Returns the tokens that expire or have expired, ordered by organization and name.
    #[must_use]
    pub fn expiring_tokens(&self) -> Vec<ExpiringToken<'_>> {
        let expiring = self.tokens.values().filter_map(|account| {
            Some(ExpiringToken {
                organization: &account.organization.name,
                name: account.name.strip_prefix(TOKEN_NAME_PREFIX)?,
                expires_at: account.expires_at?,
            })
        });
        let mut expiring: Vec<_> = expiring.collect();
        expiring.sort_unstable();
        expiring
    }

    /// Returns the sorted names of the users whose password is configured in plain text or as
    /// an MD5 digest. Anyone who can read the configuration can log in as these users.
    #[must_use]
    pub fn users_without_hash(&self) -> Vec<&str> {
        let users = self.users.values();
        let without_hash = users.filter(|user| {
            matches!(
                user.secret,
                AccountSecret::Password(StoredPassword::Digest(_))
            )
        });
        let mut names: Vec<&str> = without_hash.map(|user| user.name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// Returns all organizations, ordered by name.
    #[must_use]
    pub fn organizations(&self) -> &[Arc<Organization>] {
        &self.organizations
    }
}

fn reuse_equivalent<K: Eq + Hash>(
    accounts: &mut HashMap<K, Arc<Account>>,
    previous: &HashMap<K, Arc<Account>>,
) -> Vec<Arc<Account>> {
    let mut replaced = Vec::new();
    for (key, old) in previous {
        match accounts.get_mut(key) {
            Some(new) if new.is_equivalent(old) => *new = Arc::clone(old),
            _ => replaced.push(Arc::clone(old)),
        }
    }
    replaced
}
