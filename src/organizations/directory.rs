//! The directory of organizations and users.

use std::collections::HashMap;
use std::sync::Arc;

use super::account::{Account, AccountSecret};
use super::organization::Organization;
use super::password::StoredPassword;

/// The configured organizations and users.
#[derive(Debug, Default)]
pub struct Directory {
    organizations: Vec<Arc<Organization>>,
    users: HashMap<String, Arc<Account>>,
}

impl Directory {
    /// Creates a directory. Usernames must be unique: if several users have the same name,
    /// only the last user is added.
    #[must_use]
    pub fn new(organizations: Vec<Arc<Organization>>, users: Vec<Account>) -> Self {
        let users = users
            .into_iter()
            .map(|user| (user.name.clone(), Arc::new(user)))
            .collect();
        Self {
            organizations,
            users,
        }
    }

    /// Replaces each unchanged user with its instance from `previous`, so that the user's event
    /// streams stay open. Returns the users of `previous` that were changed or removed.
    #[must_use]
    pub fn reuse_unchanged(&mut self, previous: &Self) -> Vec<Arc<Account>> {
        let mut replaced = Vec::new();
        for (username, old) in &previous.users {
            match self.users.get_mut(username) {
                Some(new) if new.is_equivalent(old) => *new = Arc::clone(old),
                _ => replaced.push(Arc::clone(old)),
            }
        }
        replaced
    }

    /// Returns the user with this username.
    #[must_use]
    pub fn user(&self, username: &str) -> Option<&Arc<Account>> {
        self.users.get(username)
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
