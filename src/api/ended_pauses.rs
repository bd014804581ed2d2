//! The audit log of the pauses that the bridge ends.

use tracing::info;

use super::refusal::change_failed;
use crate::organizations::Directory;
use crate::queues::EndedPause;

/// Writes an audit log line about a pause that the bridge has ended or tried to end.
pub fn log_ended_pause(ended: EndedPause, directory: &Directory) {
    let mut organizations = directory.organizations().iter();
    let organization = organizations.find(|one| one.name == ended.organization);
    let number = organization.and_then(|one| one.queue_number(&ended.queue));
    let number = number.unwrap_or_else(|| ended.queue.clone());
    let agent = organization.and_then(|one| one.agent_number(&ended.interface));
    let agent = agent.unwrap_or(&ended.interface);
    let outcome = match ended.error {
        None => "success",
        Some(error) => change_failed(agent, &number, error).code.as_str(),
    };
    let request = ended.request.as_ref();
    info!(
        target: "audit",
        actor = "timer",
        request_id = request.map(|request| &*request.request_id),
        pbx = ended.pbx,
        organization = ended.organization,
        user = request.map(|request| &*request.user),
        action = "unpause",
        agent,
        queue = number,
        outcome,
        reason = EndedPause::REASON,
        "change"
    );
}
