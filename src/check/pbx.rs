//! Connects to one PBX and checks it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::report::{CertificateReport, MemberEvents, PbxReport, Report};
use super::{permissions, ping, probe, queues};
use crate::ami::value::HeaderValue;
use crate::ami::{
    Address, Client, LinkState, Message, NO_APP_QUEUE, Peer, TlsSettings, presented_certificate,
    supervise,
};
use crate::certificate::{Validity, validity_at};
use crate::config::PbxSettings;
use crate::distribution::Distribution;
use crate::organizations::Organization;

/// Time for Asterisk to boot, in addition to the time for connecting and logging in.
const BOOT_TIMEOUT: Duration = Duration::from_secs(10);

/// Checks one PBX and its organizations' queues. Probes for events if `probe` is true.
pub(super) async fn check(
    settings: PbxSettings,
    organizations: &[Arc<Organization>],
    distribution: Distribution,
    probe: bool,
) -> Report {
    let mut report = Report::new();
    let mut pbx = PbxReport {
        name: settings.link.name.clone(),
        address: settings.link.address.to_string(),
        ..PbxReport::default()
    };
    let pbx_organizations = organizations
        .iter()
        .filter(|organization| organization.pbx == pbx.name);
    let target = Target {
        address: settings.link.address.clone(),
        username: settings.link.username.clone(),
        tls: settings.link.tls.clone(),
        connect_timeout: settings.link.connect_timeout,
        action_timeout: settings.action_timeout,
        organizations: pbx_organizations.cloned().collect(),
        distribution,
    };
    let stop = CancellationToken::new();
    let (observer, penalty_events) = probe::penalty_events();
    let (mut client, supervisor) = supervise(settings.link, observer, stop.clone());
    let supervisor = tokio::spawn(supervisor);
    match target.wait_for_link(&mut client).await {
        Ok(peer) => {
            let penalty_events = probe.then_some(penalty_events);
            target
                .check_linked(&client, &peer, penalty_events, &mut pbx, &mut report)
                .await;
        }
        Err(error) => report.fail(format!("pbx {}: {error}", pbx.name)),
    }
    report.pbxes.push(pbx);
    stop.cancel();
    let _ = supervisor.await;
    report
}

/// The PBX to check. Contains copies of the link settings that the checks need, because the
/// supervisor takes ownership of the originals.
struct Target {
    address: Address,
    username: HeaderValue,
    tls: Option<TlsSettings>,
    connect_timeout: Duration,
    action_timeout: Duration,
    /// The PBX's organizations.
    organizations: Vec<Arc<Organization>>,
    distribution: Distribution,
}

impl Target {
    /// Waits until the link is up.
    ///
    /// # Errors
    /// Returns a message that explains why the link is not up.
    async fn wait_for_link(&self, client: &mut Client) -> Result<Peer, String> {
        let limit = self.connect_timeout * 2 + BOOT_TIMEOUT;
        let (address, username) = (&self.address, self.username.as_str());
        let seconds = limit.as_secs();
        match client.wait_until_settled(limit).await {
            LinkState::Ready(peer) => Ok(peer),
            LinkState::Down { reason, .. } => {
                Err(format!("no link to {address} as {username}: {reason}"))
            }
            LinkState::ShuttingDown => Err("Asterisk is shutting down".to_owned()),
            LinkState::Booting => Err(format!("{NO_APP_QUEUE} (waited {seconds} s)")),
            LinkState::Connecting => Err(format!(
                "Asterisk at {address} has not booted within {seconds} s"
            )),
        }
    }

    async fn check_linked(
        &self,
        client: &Client,
        peer: &Peer,
        penalty_events: Option<UnboundedReceiver<Message>>,
        pbx: &mut PbxReport,
        report: &mut Report,
    ) {
        let username = self.username.as_str();
        pbx.linked = true;
        pbx.ami_version = Some(peer.ami_version.clone());
        pbx.asterisk = peer.asterisk_version();
        permissions::check(peer, username, pbx, report);
        let deadline = Instant::now() + self.action_timeout;
        ping::check(client, deadline, pbx, report).await;
        permissions::check_excess(client, deadline, pbx, report).await;
        let (organizations, distribution) = (&self.organizations, self.distribution);
        let queues =
            queues::check(client, deadline, distribution, organizations, pbx, report).await;
        pbx.events = Some(MemberEvents::Unverified);
        if let Some(penalty_events) = penalty_events {
            let deadline = Instant::now() + self.action_timeout;
            let probed = probe::probe(client, deadline, &queues, penalty_events).await;
            probe::report_events(probed, username, pbx, report);
        }
        if let Some(tls) = &self.tls {
            self.check_certificate(tls, pbx, report).await;
        }
    }

    /// Warns if Asterisk's certificate has expired or will expire soon. An expired certificate
    /// is not an error, since the bridge accepts a pinned certificate even after it has
    /// expired.
    async fn check_certificate(&self, tls: &TlsSettings, pbx: &mut PbxReport, report: &mut Report) {
        let presented = presented_certificate(&self.address, tls);
        let presented = timeout(self.connect_timeout, presented).await;
        let der = presented.ok().and_then(Result::ok);
        let now = Timestamp::now();
        let (not_after, validity) = validity_at(der.as_deref(), now);
        pbx.certificate = not_after.map(|not_after| CertificateReport::new(not_after, now));
        if let Validity::Questionable(problem) | Validity::Invalid(problem) = validity {
            let name = &pbx.name;
            report.warn(format!("pbx {name}: Asterisk's certificate: {problem}"));
        }
    }
}
