//! Checks the AMI user's permissions in `manager.conf`. Missing permissions are errors or
//! warnings, and excess permissions are warnings.

use tokio::time::Instant;

use super::report::{PbxReport, Report};
use crate::ami::{Action, Client, Message, Peer};
use crate::terminal::listed;

/// The lines that the AMI user's section in `manager.conf` must have.
const REQUIRED_LINES: [&str; 2] = ["read = agent,system", "write = agent"];

/// Actions with which someone who has stolen the secret could place calls, run commands or
/// reconfigure Asterisk. The warning lists these actions first.
const DANGEROUS_ACTIONS: [&str; 8] = [
    "Originate",
    "Command",
    "AGI",
    "UpdateConfig",
    "ModuleLoad",
    "Setvar",
    "Redirect",
    "MessageSend",
];

/// Returns the required lines, indented as a list.
pub(super) fn required_lines() -> String {
    format!("  {}", REQUIRED_LINES.join("\n  "))
}

/// Adds the required lines to the JSON report.
pub(super) fn report_required_lines(pbx: &mut PbxReport) {
    pbx.manager_conf = Some(REQUIRED_LINES.map(str::to_owned).to_vec());
}

/// Reports whether the AMI user has the required permissions. The login has already tested them.
pub(super) fn check(peer: &Peer, username: &str, pbx: &mut PbxReport, report: &mut Report) {
    pbx.may_change_queues = Some(peer.may_write);
    pbx.sees_boot = Some(peer.sends_boot_event);
    if peer.may_write && peer.sends_boot_event {
        pbx.manager_conf = Some(Vec::new());
        return;
    }
    report_required_lines(pbx);
    let name = &pbx.name;
    let fix = format!(
        "put these lines into the section [{username}] of manager.conf:\n{}\n\
         Then run `manager reload`, and restart the bridge if it is running",
        required_lines()
    );
    if peer.may_write {
        report.warn(format!(
            "pbx {name}: the AMI user can't see when Asterisk has booted; {fix}"
        ));
    } else {
        report.fail(format!(
            "pbx {name}: the AMI user may not change queues; {fix}"
        ));
    }
}

/// Warns about actions that the AMI user may perform but the bridge does not need, since
/// someone who has stolen the secret could use them.
pub(super) async fn check_excess(
    client: &Client,
    deadline: Instant,
    pbx: &mut PbxReport,
    report: &mut Report,
) {
    let Ok(exchange) = client.begin(deadline, "check") else {
        return;
    };
    let Ok(reply) = exchange.send(Action::ListCommands).await else {
        return;
    };
    let mut excess = excess_actions(&reply.response);
    let rank = |action: &String| DANGEROUS_ACTIONS.iter().position(|name| name == action);
    excess.sort_by_key(|action| rank(action).unwrap_or(DANGEROUS_ACTIONS.len()));
    if !excess.is_empty() {
        report.warn(format!(
            "pbx {}: the AMI user may do more than the bridge needs: {}; write = agent is enough",
            pbx.name,
            listed(&excess)
        ));
    }
    pbx.excess_actions = Some(excess);
}

/// Returns the permitted actions that require more than `write = agent`. The response to
/// `ListCommands` has one header for each permitted action. The header value ends with the
/// action's classes, such as `(Priv: agent,all)`; a user who has any of these classes may
/// perform the action.
fn excess_actions(response: &Message) -> Vec<String> {
    let is_excess = |description: &str| {
        let classes = description.rsplit_once("(Priv: ");
        let classes = classes.map_or("", |(_, classes)| classes.trim_end_matches(')'));
        !["", "<none>"].contains(&classes) && !classes.split(',').any(|class| class == "agent")
    };
    let actions = response.iter().filter_map(|(action, description)| {
        let description = String::from_utf8_lossy(description);
        let action = String::from_utf8_lossy(action);
        is_excess(&description).then(|| action.into_owned())
    });
    actions.collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn excess_actions_omits_classless_and_agent_actions() {
        // Asterisk 22 sends these headers to a user with write = agent,command,system.
        let response = "Response: Success\r\n\
            BridgeKick: Kick a channel from a bridge.  (Priv: <none>)\r\n\
            Command: Execute Asterisk CLI Command.  (Priv: command,all)\r\n\
            ModuleLoad: Module management.  (Priv: system,all)\r\n\
            QueueLog: Adds custom entry in queue_log.  (Priv: agent,all)\r\n\
            Hangup: Hangup channel.  (Priv: system,call,all)\r\n";
        let response = Message::parse(Bytes::from_static(response.as_bytes()));
        assert_eq!(
            excess_actions(&response),
            ["Command", "ModuleLoad", "Hangup"]
        );
    }
}
