//! `ami-bridge check`: finds out whether a configuration will work.
//!
//! `configuration` checks the configuration alone. `pbx` links to a PBX, and lets
//! `permissions`, `ping`, `queues` and `probe` examine it. All of them add to the `report`,
//! which is printed as JSON or as `text`.

mod configuration;
mod pbx;
mod permissions;
mod ping;
mod probe;
mod queues;
mod report;
mod text;

use futures_util::future::join_all;

use crate::config::Settings;

pub use report::{
    CertificateReport, MemberEvents, OrganizationReport, OverlapReport, PbxReport, Report,
};

/// Checks the configuration and every PBX. Logs in to each PBX like the daemon, and logs off
/// again.
///
/// Changes nothing on a PBX, unless `probe` is true: then it sets the penalty of one member to
/// its current value, to see whether Asterisk sends the event.
pub async fn check(settings: Settings, probe: bool) -> Report {
    let mut report = Report::new();
    configuration::check(&settings, &mut report);
    let organizations = settings.directory.organizations();
    let pbxes = settings.pbxes.into_iter();
    // All PBXes are checked at the same time, so that one that does not answer delays no other.
    let checks = pbxes.map(|pbx| pbx::check(pbx, organizations, probe));
    for pbx_report in join_all(checks).await {
        report.merge(pbx_report);
    }
    report
}
