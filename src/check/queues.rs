//! Compares a PBX's queues with the queues that are configured for its organizations.

use std::sync::Arc;

use tokio::time::Instant;

use super::report::{OrganizationReport, PbxReport, Report};
use crate::ami::Client;
use crate::organizations::Organization;
use crate::queues::{QueueError, QueueName, QueueNames, QueueQueries};

/// Checks the queue names. Returns the queues that belong to any of `organizations`.
pub(super) async fn check(
    client: &Client,
    deadline: Instant,
    organizations: &[Arc<Organization>],
    pbx: &mut PbxReport,
    report: &mut Report,
) -> Vec<QueueName> {
    let names = match queue_names(client, deadline).await {
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

async fn queue_names(client: &Client, deadline: Instant) -> Result<QueueNames, QueueError> {
    let exchange = client.begin(deadline, "check")?;
    QueueQueries::new(exchange).names().await
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
