//! `ami-bridge check`: whether what is configured will work.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::ami::{LinkSettings, LinkState, supervise};
use crate::config::Settings;

/// What was found; `ok` decides the exit status.
#[derive(Debug)]
pub struct Report {
    /// For the operator.
    pub text: String,
    /// Whether everything that is needed works.
    pub ok: bool,
}

/// Beyond connecting and logging in: what a boot may take.
const BOOT_WAIT: Duration = Duration::from_secs(10);

/// Links to each PBX as the daemon would, and logs off again.
pub async fn check(settings: Settings) -> Report {
    let mut report = Report {
        text: "configuration: ok\n".to_owned(),
        ok: true,
    };
    for overlap in &settings.overlaps {
        let (first, second) = (&overlap.first, &overlap.second);
        let example = &overlap.example;
        report.say(format_args!(
            "warning: {first} and {second} both list the agent {example}"
        ));
    }
    for pbx in settings.pbxes {
        report.pbx(pbx.link).await;
    }
    report
}

impl Report {
    fn say(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "{line}");
    }

    fn fail(&mut self, line: std::fmt::Arguments<'_>) {
        self.ok = false;
        self.say(line);
    }

    async fn pbx(&mut self, pbx: LinkSettings) {
        let limit = pbx.connect_timeout * 2 + BOOT_WAIT;
        let (name, address) = (pbx.name.clone(), pbx.address.clone());
        let username = pbx.username.clone();
        let username = username.as_str();
        let stop = CancellationToken::new();
        let (mut client, supervisor) = supervise(pbx, stop.clone());
        let supervisor = tokio::spawn(supervisor);
        let settled = |state: &LinkState| !matches!(state, LinkState::Connecting);
        let state = timeout(limit, client.wait_for(settled)).await;
        match state {
            Ok(LinkState::Ready(peer)) => {
                let asterisk = peer
                    .generation()
                    .map_or_else(|| "newer than known".to_owned(), |g| g.to_string());
                self.say(format_args!(
                    "pbx {name}: linked to {address}, Asterisk {asterisk} (AMI {})",
                    peer.ami_version
                ));
                if !peer.may_write {
                    self.fail(format_args!(
                        "pbx {name}: the AMI user may not change queues; \
                         put this in manager.conf, then `manager reload`:\n\
                         [{username}]\nread = agent,system\nwrite = agent"
                    ));
                }
                if !peer.tells_boot {
                    self.say(format_args!(
                        "pbx {name}: warning: the AMI user can't see when Asterisk has booted; \
                         put this in manager.conf, then `manager reload`:\n\
                         [{username}]\nread = agent,system"
                    ));
                }
            }
            Ok(LinkState::Down { reason, .. }) => {
                self.fail(format_args!("pbx {name}: no link to {address}: {reason}"));
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
}
