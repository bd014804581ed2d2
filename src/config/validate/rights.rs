//! `actions`, `allow_from` and the limits of users and tokens.

use std::collections::HashSet;

use ipnet::IpNet;

use super::limits;
use super::network::networks;
use super::rights_table::RightsTable;
use crate::api;
use crate::config::mistake::Mistakes;
use crate::organizations::{Limits, Organization};

/// The rights of a user or a token.
pub(super) struct Rights {
    /// Allowed actions in lower case; `None` allows all.
    pub(super) actions: Option<HashSet<String>>,
    pub(super) allow_from: Vec<IpNet>,
    pub(super) limits: Limits,
}

/// Validates the rights of a user or a token. `key` is its table, such as
/// `organization.acme.user[0]`.
pub(super) fn validate(
    key: &str,
    table: RightsTable<'_>,
    organization: Option<&Organization>,
    mistakes: &mut Mistakes,
) -> Rights {
    for action in table.actions {
        let (permissions, names) = (api::permissions(), api::action_names());
        let name = action.to_ascii_lowercase();
        // Every account may perform some of the actions, but listing them is not a mistake.
        let is_known = permissions.contains(&&*name) || names.contains(&&*name);
        if action != "*" && !is_known {
            let message = format!("\"{action}\" is not one of *, {}", permissions.join(", "));
            mistakes.add(format!("{key}.actions"), message);
        }
    }
    let allows_all = table.actions.iter().any(|action| action == "*");
    let actions = table.actions.iter();
    let actions = actions.map(|action| action.to_ascii_lowercase());
    Rights {
        actions: (!allows_all).then(|| actions.collect()),
        allow_from: networks(&format!("{key}.allow_from"), table.allow_from, mistakes),
        limits: limits::validate(key, table, organization, mistakes),
    }
}
