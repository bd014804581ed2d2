//! Compares a PBX's queues with the queues that are configured for its organizations.

use std::sync::Arc;

use tokio::time::Instant;

use super::report::{OrganizationReport, PbxReport, Report};
use crate::ami::Client;
use crate::distribution::Distribution;
use crate::organizations::{Organization, Pattern};
use crate::queues::{QueueError, QueueName, QueueNames, QueueQueries};

/// Checks the queue names. Returns the queues that belong to any of `organizations`.
pub(super) async fn check(
    client: &Client,
    deadline: Instant,
    distribution: Distribution,
    organizations: &[Arc<Organization>],
    pbx: &mut PbxReport,
    report: &mut Report,
) -> Vec<QueueName> {
    let names = match names(client, deadline, distribution, organizations).await {
        Ok(names) => names,
        Err(error) => {
            let name = &pbx.name;
            report.fail(format!("pbx {name}: the queues can't be listed: {error}"));
            return Vec::new();
        }
    };
    for queue in names.unusable_names {
        report.warn(format!(
            "pbx {}: queue {queue:?} is ignored, because AMI actions can't carry its name; \
             rename its section in queues.conf",
            pbx.name
        ));
    }
    let queues = names.usable_names;
    pbx.queues = Some(queues.len());
    for organization in organizations {
        check_organization(organization, &queues, report);
    }
    let belongs_to_any = |queue: &QueueName| {
        let mut organizations = organizations.iter();
        organizations.any(|organization| organization.queue_number(queue).is_some())
    };
    queues.into_iter().filter(belongs_to_any).collect()
}

/// Queries the names of the queues. Leaves out the distribution's section for default settings,
/// which Asterisk takes for a queue, unless the section has members or an organization lists it.
async fn names(
    client: &Client,
    deadline: Instant,
    distribution: Distribution,
    organizations: &[Arc<Organization>],
) -> Result<QueueNames, QueueError> {
    let queries = QueueQueries::new(client.begin(deadline, "check")?);
    let mut names = queries.names().await?;
    let may_be_section = |name: &QueueName| {
        let mut organizations = organizations.iter();
        distribution.has_only_settings_in(name, false)
            && !organizations.any(|organization| lists(organization, name))
    };
    if names.usable_names.iter().any(may_be_section) {
        let queues = queries.all_queues().await?;
        let has_members = |name: &QueueName| {
            let mut queues = queues.iter();
            queues.any(|queue| queue.name == *name && !queue.members.is_empty())
        };
        let is_queue = |name: &QueueName| !may_be_section(name) || has_members(name);
        names.usable_names.retain(is_queue);
    }
    Ok(names)
}

/// Returns whether the organization's configuration has this queue itself, and not only a pattern
/// that matches it.
fn lists(organization: &Organization, name: &QueueName) -> bool {
    let mut patterns = organization.queues.iter();
    patterns.any(|pattern| match pattern {
        Pattern::Exact(number) => organization.queue_name.extract(name) == Some(number.as_str()),
        _ => false,
    })
}

/// Warns about queue names that differ in spelling, and about configured queues that the PBX
/// does not have. A queue may be missing because its number or `queue_name` is wrong.
fn check_organization(organization: &Organization, queues: &[QueueName], report: &mut Report) {
    let problems = organization.name_problems(queues.iter().map(|name| name.as_str()));
    for problem in problems {
        report.warn(problem.to_string());
    }
    let numbers = queues
        .iter()
        .filter_map(|name| organization.queue_number(name));
    let numbers: Vec<String> = numbers.collect();
    let mut missing = Vec::new();
    for pattern in &organization.queues {
        if numbers.iter().any(|number| pattern.matches(number)) {
            continue;
        }
        let pattern = pattern.to_string();
        report.warn(format!(
            "organization {}: the PBX has no queue {} for \"{pattern}\"",
            organization.name,
            organization.queue_name.expand(&pattern)
        ));
        missing.push(pattern);
    }
    report.organizations.push(OrganizationReport {
        name: organization.name.clone(),
        pbx: organization.pbx.clone(),
        queues: numbers.len(),
        missing_queues: missing,
    });
}
