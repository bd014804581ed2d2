//! Makes a change for each agent that a request names.

use crate::api::change_everywhere::AttemptedQueues;
use crate::api::changes::{Row, run_changes};
use crate::api::errors::ApiError;
use crate::api::tenant::Tenant;
use crate::queues::{PbxRequest, QueueChange};

/// The result of a change for one agent.
#[derive(Debug)]
pub(super) struct AgentChange {
    pub(super) agent: String,
    /// A row for each queue, or the error if the change was refused for all queues together.
    pub(super) result: Result<Vec<Row>, ApiError>,
}

/// Makes a change for each of the agents, in the queues with these numbers or in every queue of
/// which the agent is a member. `change` creates the change of an agent from the agent's phone
/// number and interface. All agents share one request to the PBX, which limits the number of
/// changes that are under way.
pub(super) async fn change_agents(
    tenant: &Tenant<'_>,
    agents: &[String],
    numbers: Option<&[String]>,
    change: impl Fn(&str, String) -> QueueChange,
) -> Vec<AgentChange> {
    let changes: Vec<_> = agents
        .iter()
        .map(|agent| {
            let interface = tenant.interface(agent);
            let change = interface.map(|interface| change(agent, interface));
            (agent.clone(), change)
        })
        .collect();
    let request = tenant.begin();
    let request = request.as_ref();
    let queues = &AttemptedQueues::default();
    let results = changes.into_iter().map(|(agent, change)| async move {
        let result = match change {
            Ok(change) => {
                let targets = (numbers, queues);
                change_agent(tenant, request, &agent, targets, &change).await
            }
            Err(unknown_agent) => Err(unknown_agent),
        };
        AgentChange { agent, result }
    });
    run_changes(results).await
}

async fn change_agent(
    tenant: &Tenant<'_>,
    request: Result<&PbxRequest<'_>, &ApiError>,
    agent: &str,
    (numbers, queues): (Option<&[String]>, &AttemptedQueues),
    change: &QueueChange,
) -> Result<Vec<Row>, ApiError> {
    match (numbers, request) {
        (Some(numbers), request) => Ok(tenant.change(request, agent, numbers, change).await),
        (None, Ok(request)) => {
            let changed = tenant.change_everywhere(request, queues, agent, change);
            changed.await
        }
        (None, Err(unavailable)) => Err(unavailable.clone()),
    }
}
