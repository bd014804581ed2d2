//! `ami-bridge check`: whether what is configured will work.

use std::fmt::{Arguments, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::ami::{Action, Client, LinkSettings, LinkState, Peer, supervise};
use crate::config::{PbxSettings, Settings};
use crate::organizations::Organization;
use crate::queues::QueueCommands;

/// What was found; `ok` decides the exit status.
#[derive(Debug)]
pub struct Report {
    /// For the operator.
    pub text: String,
    /// Whether everything that is needed works.
    pub ok: bool,
}

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

/// Links to each PBX as the daemon would, looks for the organizations' queues,
/// and logs off again.
pub async fn check(settings: Settings) -> Report {
    let mut report = Report {
        text: "configuration: ok\n".to_owned(),
        ok: true,
    };
    for overlap in &settings.overlaps {
        let (first, second) = (&overlap.first, &overlap.second);
        let example = &overlap.example;
        report.say(format_args!(
            "warning: {first} and {second} share {example} and the like, as configured"
        ));
    }
    for username in settings.directory.weakly_stored() {
        report.say(format_args!(
            "warning: user {username}: whoever reads the file can log in; use password_hash \
             (ami-bridge hash-password)"
        ));
    }
    let organizations = settings.directory.organizations();
    for pbx in settings.pbxes {
        let of_pbx = organizations.iter().filter(|o| o.pbx == pbx.link.name);
        let of_pbx: Vec<_> = of_pbx.map(Arc::as_ref).collect();
        report.pbx(pbx, &of_pbx).await;
    }
    report
}

impl Report {
    fn say(&mut self, line: Arguments<'_>) {
        let _ = writeln!(self.text, "{line}");
    }

    fn fail(&mut self, line: Arguments<'_>) {
        self.ok = false;
        self.say(line);
    }

    async fn pbx(&mut self, pbx: PbxSettings, organizations: &[&Organization]) {
        let limit = pbx.link.connect_timeout * 2 + BOOT_WAIT;
        let LinkSettings { name, address, .. } = &pbx.link;
        let (name, address) = (name.clone(), address.clone());
        let username = pbx.link.username.clone();
        let stop = CancellationToken::new();
        let (mut client, supervisor) = supervise(pbx.link, (), stop.clone());
        let supervisor = tokio::spawn(supervisor);
        let settled = |state: &LinkState| !matches!(state, LinkState::Connecting);
        let state = timeout(limit, client.wait_for(settled)).await;
        match state {
            Ok(LinkState::Ready(peer)) => {
                self.linked(&name, &address, username.as_str(), &peer);
                let deadline = Instant::now() + pbx.action_timeout;
                self.excess(&name, &client, deadline).await;
                self.queues(&name, &client, deadline, organizations).await;
            }
            Ok(LinkState::Down { reason, .. }) => {
                let username = username.as_str();
                self.fail(format_args!(
                    "pbx {name}: no link to {address} as {username}: {reason}"
                ));
            }
            Ok(LinkState::ShuttingDown) => {
                self.fail(format_args!("pbx {name}: Asterisk is shutting down"));
            }
            Ok(LinkState::Connecting) | Err(_) => self.fail(format_args!(
                "pbx {name}: {address} has not booted within {} s",
                limit.as_secs()
            )),
        }
        stop.cancel();
        let _ = supervisor.await;
    }

    fn linked(&mut self, name: &str, address: &str, username: &str, peer: &Peer) {
        let asterisk = peer.generation();
        let asterisk = asterisk.map_or_else(|| "newer than known".to_owned(), |g| g.to_string());
        self.say(format_args!(
            "pbx {name}: linked to {address}, Asterisk {asterisk} (AMI {})",
            peer.ami_version
        ));
        let cure = format!(
            "in the section [{username}] of manager.conf have the lines\n  \
             read = agent,system\n  write = agent\n\
             then `manager reload`, and restart a bridge that is running"
        );
        if !peer.may_write {
            self.fail(format_args!(
                "pbx {name}: the AMI user may not change queues; {cure}"
            ));
        } else if !peer.tells_boot {
            self.say(format_args!(
                "pbx {name}: warning: the AMI user can't see when Asterisk has booted; {cure}"
            ));
        }
    }

    /// Tells what a stolen secret could do besides.
    async fn excess(&mut self, name: &str, client: &Client, deadline: Instant) {
        let Ok(exchange) = client.begin(deadline, "check") else {
            return;
        };
        let Ok(answer) = exchange.send(Action::ListCommands).await else {
            return;
        };
        let may = |action: &&str| answer.response.get(action).is_some();
        let excess: Vec<&str> = DANGEROUS.into_iter().filter(may).collect();
        if !excess.is_empty() {
            self.say(format_args!(
                "pbx {name}: warning: the AMI user may do more than the bridge needs: {}; \
                 write = agent is enough",
                excess.join(", ")
            ));
        }
    }

    /// Tells which configured queues the PBX does not have: a wrong number, or a
    /// wrong template.
    async fn queues(
        &mut self,
        name: &str,
        client: &Client,
        deadline: Instant,
        organizations: &[&Organization],
    ) {
        let queues = match client.begin(deadline, "check") {
            Ok(exchange) => QueueCommands::new(exchange).names().await,
            Err(failure) => Err(failure.into()),
        };
        let queues = match queues {
            Ok(names) => names,
            Err(error) => {
                self.fail(format_args!(
                    "pbx {name}: the queues can't be read: {error}"
                ));
                return;
            }
        };
        for organization in organizations {
            let numbers = queues
                .iter()
                .filter_map(|name| organization.queue_number(name));
            let numbers: Vec<String> = numbers.collect();
            self.say(format_args!(
                "organization {}: {} of {} queues of the PBX",
                organization.name,
                numbers.len(),
                queues.len()
            ));
            for pattern in &organization.queues {
                if numbers.iter().any(|number| pattern.matches(number)) {
                    continue;
                }
                let pattern = pattern.to_string();
                self.say(format_args!(
                    "organization {}: warning: the PBX has no queue {} for \"{pattern}\"",
                    organization.name,
                    organization.queue_name.expand(&pattern)
                ));
            }
        }
    }
}
