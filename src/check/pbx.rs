//! What one PBX says.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::probe::{UNVERIFIED, penalty_events, probe_queues};
use super::report::{CertificateReport, OrganizationReport, PbxReport, Report};
use crate::ami::{
    Action, Address, Client, LinkState, Message, NO_APP_QUEUE, Peer, TlsSettings,
    presented_certificate, supervise,
};
use crate::certificate::{Verdict, judge};
use crate::config::PbxSettings;
use crate::organizations::Organization;
use crate::queues::mirror::{TOLERATED_OFFSET, clock_offset};
use crate::queues::{QueueName, QueueQueries};

/// Actions by which a stolen secret could place calls, run commands, or change
/// what Asterisk does: of what is too much, these are named first.
const DANGEROUS: [&str; 8] = [
    "Originate",
    "Command",
    "AGI",
    "UpdateConfig",
    "ModuleLoad",
    "Setvar",
    "Redirect",
    "MessageSend",
];

/// How many of them are named in a warning. JSON has them all.
const NAMED: usize = 6;

/// Beyond connecting and logging in: what a boot may take.
const BOOT_WAIT: Duration = Duration::from_secs(10);

/// What the section of the AMI user needs in `manager.conf`.
pub(super) const NEEDED: [&str; 2] = ["read = agent,system", "write = agent"];

/// Links to it, and tells what is found.
pub(super) async fn ask(
    pbx: PbxSettings,
    organizations: &[Arc<Organization>],
    probes: bool,
) -> Report {
    let mut report = Report::nothing_found();
    let connect_timeout = pbx.link.connect_timeout;
    let limit = connect_timeout * 2 + BOOT_WAIT;
    let mut found = PbxReport {
        name: pbx.link.name.clone(),
        address: pbx.link.address.to_string(),
        ..PbxReport::default()
    };
    let (name, address) = (found.name.clone(), pbx.link.address.clone());
    let tls = pbx.link.tls.clone();
    let username = pbx.link.username.clone();
    let username = username.as_str();
    let stop = CancellationToken::new();
    let (observer, events) = penalty_events();
    let (mut client, supervisor) = supervise(pbx.link, observer, stop.clone());
    let supervisor = tokio::spawn(supervisor);
    let settled = |state: &LinkState| !matches!(state, LinkState::Connecting | LinkState::Booting);
    let state = timeout(limit, client.wait_for(settled)).await;
    match state {
        Ok(LinkState::Ready(peer)) => {
            report.linked(&mut found, username, &peer);
            let deadline = Instant::now() + pbx.action_timeout;
            report.ping(&mut found, &client, deadline).await;
            report.excess(&mut found, &client, deadline).await;
            let own = organizations.iter().filter(|own| own.pbx == name);
            let own: Vec<_> = own.cloned().collect();
            let queues = report.queues(&mut found, &client, deadline, &own).await;
            found.events = Some(UNVERIFIED);
            if probes {
                let deadline = Instant::now() + pbx.action_timeout;
                let probed = probe_queues(&client, deadline, &queues, events);
                report.events(&mut found, username, probed.await);
            }
            if let Some(tls) = tls {
                report
                    .certificate(&mut found, &address, &tls, connect_timeout)
                    .await;
            }
        }
        Ok(LinkState::Down { reason, .. }) => report.fail(format!(
            "pbx {name}: no link to {address} as {username}: {reason}"
        )),
        Ok(LinkState::ShuttingDown) => {
            report.fail(format!("pbx {name}: Asterisk is shutting down"));
        }
        Ok(LinkState::Connecting | LinkState::Booting) | Err(_) => {
            let limit = limit.as_secs();
            report.fail(match client.state() {
                LinkState::Booting => format!("pbx {name}: after {limit} s, {NO_APP_QUEUE}"),
                _ => format!("pbx {name}: {address} has not booted within {limit} s"),
            });
        }
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
        pbx.asterisk = peer.asterisk_version();
        pbx.may_change_queues = Some(peer.may_write);
        pbx.sees_boot = Some(peer.sends_boot_event);
        if peer.may_write && peer.sends_boot_event {
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
        let mut excess = beyond_queues(&answer.response);
        let rank = |action: &String| DANGEROUS.iter().position(|name| name == action);
        excess.sort_by_key(|action| rank(action).unwrap_or(DANGEROUS.len()));
        if !excess.is_empty() {
            let named = excess[..excess.len().min(NAMED)].join(", ");
            let more = match excess.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            self.warnings.push(format!(
                "pbx {}: the AMI user may do more than the bridge needs: {named}{more}; \
                 write = agent is enough",
                pbx.name
            ));
        }
        pbx.excess_actions = Some(excess);
    }

    /// Tells how long Asterisk's certificate is valid. One that is pinned serves
    /// beyond its end.
    async fn certificate(
        &mut self,
        pbx: &mut PbxReport,
        address: &Address,
        tls: &TlsSettings,
        within: Duration,
    ) {
        let presented = timeout(within, presented_certificate(address, tls)).await;
        let der = presented.ok().and_then(Result::ok);
        let now = Timestamp::now();
        let (end, verdict) = judge(der.as_deref(), now);
        pbx.certificate = end.map(|end| CertificateReport::of(end, now));
        if let Verdict::Doubtful(told) | Verdict::Invalid(told) = verdict {
            let name = &pbx.name;
            self.warnings
                .push(format!("pbx {name}: Asterisk's certificate: {told}"));
        }
    }

    /// Tells which configured queues the PBX does not have: a wrong number, or a
    /// wrong template.
    async fn queues(
        &mut self,
        pbx: &mut PbxReport,
        client: &Client,
        deadline: Instant,
        organizations: &[Arc<Organization>],
    ) -> Vec<QueueName> {
        let queues = match client.begin(deadline, "check") {
            Ok(exchange) => QueueQueries::new(exchange).names().await,
            Err(failure) => Err(failure.into()),
        };
        let queues = match queues {
            Ok(names) => {
                for queue in names.left_out {
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
                return Vec::new();
            }
        };
        pbx.queues = Some(queues.len());
        for organization in organizations {
            let problems = organization.name_problems(queues.iter().map(|name| name.as_str()));
            let problems = problems.iter().map(ToString::to_string);
            self.warnings.extend(problems);
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
        let is_own = |name: &QueueName| {
            let mut organizations = organizations.iter();
            organizations.any(|own| own.queue_number(name).is_some())
        };
        queues.into_iter().filter(is_own).collect()
    }

    /// Reports how long a `Ping` takes, and by how much the PBX's clock is off.
    async fn ping(&mut self, pbx: &mut PbxReport, client: &Client, deadline: Instant) {
        let Ok(exchange) = client.begin(deadline, "check") else {
            return;
        };
        let sent = Instant::now();
        let Ok(answer) = exchange.send(Action::Ping).await else {
            return;
        };
        let took = sent.elapsed();
        pbx.latency_ms = Some(took.as_secs_f64() * 1000.0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let offset = clock_offset(&answer.response, took, now.unwrap_or_default());
        pbx.clock_offset_seconds = offset.map(|offset| (offset * 1000.0).round() / 1000.0);
        if let Some(offset) = pbx.clock_offset_seconds
            && offset.abs() > TOLERATED_OFFSET
        {
            self.warnings.push(format!(
                "pbx {}: its clock is {:.1} s {} this machine's; times are converted, and both \
                 should be set by NTP",
                pbx.name,
                offset.abs(),
                if offset > 0.0 { "ahead of" } else { "behind" }
            ));
        }
    }
}

/// What a user may do beyond `write = agent`, by an answer to ListCommands: every
/// action that it may use, with the classes of which it must have one.
fn beyond_queues(listed: &Message) -> Vec<String> {
    let is_beyond = |description: &str| {
        let classes = description.rsplit_once("(Priv: ");
        let classes = classes.map_or("", |(_, classes)| classes.trim_end_matches(')'));
        !["", "<none>"].contains(&classes) && !classes.split(',').any(|class| class == "agent")
    };
    let actions = listed.iter().filter_map(|(action, description)| {
        let description = String::from_utf8_lossy(description);
        let action = String::from_utf8_lossy(action);
        is_beyond(&description).then(|| action.into_owned())
    });
    actions.collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn what_neither_all_nor_agents_may_is_too_much() {
        // Of Asterisk 22, with write = agent,command,system.
        let listed = "Response: Success\r\n\
            BridgeKick: Kick a channel from a bridge.  (Priv: <none>)\r\n\
            Command: Execute Asterisk CLI Command.  (Priv: command,all)\r\n\
            ModuleLoad: Module management.  (Priv: system,all)\r\n\
            QueueLog: Adds custom entry in queue_log.  (Priv: agent,all)\r\n\
            Hangup: Hangup channel.  (Priv: system,call,all)\r\n";
        let listed = Message::parse(Bytes::from_static(listed.as_bytes()));
        assert_eq!(beyond_queues(&listed), ["Command", "ModuleLoad", "Hangup"]);
    }
}
