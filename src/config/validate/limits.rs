//! `agents`, `queues` and `sees_colleagues` of a user or a token.

use super::patterns::patterns;
use super::rights_table::RightsTable;
use crate::config::mistake::Mistakes;
use crate::organizations::{Limits, Organization, Pattern, patterns_overlap};

/// Validates the limits of a user or a token. `key` is its table, such as
/// `organization.acme.user[0]`. Checks that the limits lie within the organization, unless the
/// organization itself has a mistake.
pub(super) fn validate(
    key: &str,
    table: RightsTable<'_>,
    organization: Option<&Organization>,
    mistakes: &mut Mistakes,
) -> Limits {
    let (agents_key, queues_key) = (format!("{key}.agents"), format!("{key}.queues"));
    let agents = patterns(&agents_key, table.agents, Pattern::parse_agent, mistakes);
    let queues = patterns(&queues_key, table.queues, Pattern::parse_queue, mistakes);
    if let Some(organization) = organization {
        if let Some(own) = &organization.agents {
            require_overlap(&agents_key, &agents, own, mistakes);
        }
        require_overlap(&queues_key, &queues, &organization.queues, mistakes);
    }
    Limits {
        agents: (!table.agents.is_empty()).then_some(agents),
        queues: (!table.queues.is_empty()).then_some(queues),
        sees_colleagues: table.sees_colleagues,
    }
}

/// Reports each pattern that can match nothing of the organization.
fn require_overlap(key: &str, limits: &[Pattern], own: &[Pattern], mistakes: &mut Mistakes) {
    for limit in limits {
        if !own.iter().any(|own| patterns_overlap(own, limit)) {
            let message = format!("\"{limit}\" matches nothing of the organization");
            mistakes.add(key, message);
        }
    }
}
