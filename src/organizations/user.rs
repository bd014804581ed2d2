//! Users, and what they may do.

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
    /// Unique across all organizations.
    pub username: String,
    /// The organization that the user belongs to.
    pub organization: Arc<Organization>,
    /// The password as it is configured.
    pub password: StoredPassword,
    /// Allowed actions in lower case; `None` allows all.
    pub actions: Option<HashSet<String>>,
    /// Networks from which the user may log in; empty allows all.
    pub allow_from: Vec<IpNet>,
    /// Canceled when a reload removes or changes the user.
    pub revoked: CancellationToken,
}

impl User {
    /// Whether the user may perform the action (in lower case) from this address.
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

    /// Whether both users have the same password and the same rights.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        self.organization == other.organization
            && self.password.is_same(&other.password)
            && self.actions == other.actions
            && self.allow_from == other.allow_from
    }
}
