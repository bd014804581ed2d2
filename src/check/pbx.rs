//! What one PBX says.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::report::{OrganizationReport, PbxReport, Report};
use crate::ami::{Action, Client, LinkState, NO_QUEUES, Peer, supervise};
use crate::config::PbxSettings;
use crate::organizations::Organization;
use crate::queues::QueueCommands;

/// Actions by which a stolen secret could place calls, run commands, or change
/// what Asterisk does.
const DANGEROUS: [&str; 12] = [
    "Originate",
    "Redirect",
    "Hangup",
    "Command",
    "AGI",
    "Setvar",
    "GetConfig",
    "UpdateConfig",
    "CreateConfig",
    "ModuleLoad",
    "DBPut",
    "Filter",
];

/// Beyond connecting and logging in: what a boot may take.
const BOOT_WAIT: Duration = Duration::from_secs(10);

/// What the section of the AMI user needs in `manager.conf`.
const NEEDED: [&str; 2] = ["read = agent,system", "write = agent"];

/// Links to it, and tells what is found.
pub(super) async fn ask(pbx: PbxSettings, organizations: &[Arc<Organization>]) -> Report {
    let mut report = Report::nothing_found();
    let limit = pbx.link.connect_timeout * 2 + BOOT_WAIT;
    let mut found = PbxReport {
        name: pbx.link.name.clone(),
        address: pbx.link.address.clone(),
        ..PbxReport::default()
    };
    let (name, address) = (found.name.clone(), found.address.clone());
    let username = pbx.link.username.clone();
    let username = username.as_str();
    let stop = CancellationToken::new();
    let (mut client, supervisor) = supervise(pbx.link, (), stop.clone());
    let supervisor = tokio::spawn(supervisor);
    let settled = |state: &LinkState| !matches!(state, LinkState::Connecting | LinkState::Booting);
    let state = timeout(limit, client.wait_for(settled)).await;
    match state {
        Ok(LinkState::Ready(peer)) => {
            report.linked(&mut found, username, &peer);
            let deadline = Instant::now() + pbx.action_timeout;
            found.latency_ms = latency(&client, deadline).await;
            report.excess(&mut found, &client, deadline).await;
            report
                .queues(&mut found, &client, deadline, organizations)
                .await;
        }
        Ok(LinkState::Down { reason, .. }) => report.fail(format!(
            "pbx {name}: no link to {address} as {username}: {reason}"
        )),
        Ok(LinkState::ShuttingDown) => {
            report.fail(format!("pbx {name}: Asterisk is shutting down"));
        }
        Ok(LinkState::Connecting | LinkState::Booting) | Err(_) => report.fail(format!(
            "pbx {name}: {address} is not ready after {} s: {NO_QUEUES}",
            limit.as_secs()
        )),
    }
    report.pbxes.push(found);
    stop.cancel();
    let _ = supervisor.await;
    report
}

impl Report {
    fn linked(&mut self, pbx: &mut PbxReport, username: &str, peer: &Peer) {
        pbx.linked = true;
        pbx.ami_version = Some(peer.ami_version.clone());
        pbx.asterisk = peer.generation();
        pbx.may_change_queues = Some(peer.may_write);
        pbx.sees_boot = Some(peer.tells_boot);
        if peer.may_write && peer.tells_boot {
            pbx.manager_conf = Some(Vec::new());
            return;
        }
        pbx.manager_conf = Some(NEEDED.map(str::to_owned).to_vec());
        let name = &pbx.name;
        let cure = format!(
            "in the section [{username}] of manager.conf have the lines\n  {}\n\
             then `manager reload`, and restart a bridge that is running",
            NEEDED.join("\n  ")
        );
        if !peer.may_write {
            self.fail(format!(
                "pbx {name}: the AMI user may not change queues; {cure}"
            ));
        } else {
            self.warnings.push(format!(
                "pbx {name}: the AMI user can't see when Asterisk has booted; {cure}"
            ));
        }
    }

    /// Tells what a stolen secret could do besides.
    async fn excess(&mut self, pbx: &mut PbxReport, client: &Client, deadline: Instant) {
        let Ok(exchange) = client.begin(deadline, "check") else {
            return;
        };
        let Ok(answer) = exchange.send(Action::ListCommands).await else {
            return;
        };
        let may = |action: &&str| answer.response.get(action).is_some();
        let excess: Vec<&str> = DANGEROUS.into_iter().filter(may).collect();
        if !excess.is_empty() {
            self.warnings.push(format!(
                "pbx {}: the AMI user may do more than the bridge needs: {}; \
                 write = agent is enough",
                pbx.name,
                excess.join(", ")
            ));
        }
        pbx.excess_actions = Some(excess.into_iter().map(str::to_owned).collect());
    }

    /// Tells which configured queues the PBX does not have: a wrong number, or a
    /// wrong template.
    async fn queues(
        &mut self,
        pbx: &mut PbxReport,
        client: &Client,
        deadline: Instant,
        organizations: &[Arc<Organization>],
    ) {
        let queues = match client.begin(deadline, "check") {
            Ok(exchange) => QueueCommands::new(exchange).names().await,
            Err(failure) => Err(failure.into()),
        };
        let queues = match queues {
            Ok(names) => {
                for queue in names.unnamable {
                    self.warnings.push(format!(
                        "pbx {}: queue {queue:?} is left out, since no action can carry its name: \
                         mend its section in queues.conf",
                        pbx.name
                    ));
                }
                names.named
            }
            Err(error) => {
                let name = &pbx.name;
                self.fail(format!("pbx {name}: the queues can't be read: {error}"));
                return;
            }
        };
        pbx.queues = Some(queues.len());
        for organization in organizations.iter().filter(|o| o.pbx == pbx.name) {
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
                self.warnings.push(format!(
                    "organization {}: the PBX has no queue {} for \"{pattern}\"",
                    organization.name,
                    organization.queue_name.expand(&pattern)
                ));
                missing.push(pattern);
            }
            self.organizations.push(OrganizationReport {
                name: organization.name.clone(),
                pbx: organization.pbx.clone(),
                queues: numbers.len(),
                missing_queues: missing,
            });
        }
    }
}

/// A round trip of a Ping, in milliseconds.
async fn latency(client: &Client, deadline: Instant) -> Option<f64> {
    let exchange = client.begin(deadline, "check").ok()?;
    let sent = Instant::now();
    exchange.send(Action::Ping).await.ok()?;
    Some(sent.elapsed().as_secs_f64() * 1000.0)
}
