//! Users and their permissions.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

use super::organization::Organization;
use super::password::StoredPassword;

/// Someone who can log in for an organization.
#[derive(Debug, Clone)]
pub struct User {
    /// The username, which is unique across all organizations.
    pub username: String,
    /// The organization that the user belongs to.
    pub organization: Arc<Organization>,
    /// The configured password.
    pub password: StoredPassword,
    /// Allowed actions in lower case; `None` allows all.
    pub actions: Option<HashSet<String>>,
    /// Networks from which the user may log in; empty allows all.
    pub allow_from: Vec<IpNet>,
    /// Canceled when a reload removes or changes the user.
    pub revoked: CancellationToken,
}

impl User {
    /// Returns true if the user may perform `action` (in lower case) from this address.
    #[must_use]
    pub fn may(&self, action: &str, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let allows_action = match &self.actions {
            Some(actions) => actions.contains(action),
            None => true,
        };
        let allows_network =
            self.allow_from.is_empty() || self.allow_from.iter().any(|net| net.contains(&address));
        allows_action && allows_network
    }

    /// Returns true if both users have the same organization, password and permissions.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        self.organization == other.organization
            && self.password.has_same_value(&other.password)
            && self.actions == other.actions
            && self.allow_from == other.allow_from
    }
}
