//! `ami-bridge check`: tests whether a configuration will work.
//!
//! `configuration` and `state` run the checks that need no PBX, beside
//! [`crate::system_limits`]. `pbx` connects to a PBX and runs the checks in `permissions`, `ping`,
//! `queues` and `probe`. All checks add their results to the `report`, which is printed as JSON or
//! as `text`.

mod configuration;
mod pbx;
mod permissions;
mod ping;
mod probe;
mod queues;
mod report;
mod state;
mod text;

use std::path::Path;

use futures_util::future::join_all;

use crate::config::Settings;
use crate::distribution::Distribution;
use crate::system_limits::{Demand, SystemLimits, shortages};

pub use report::{
    CertificateReport, MemberEvents, OrganizationReport, OverlapReport, PbxReport, Report,
    StateReport, StateStatus,
};

/// Checks the configuration and every PBX. Logs in to each PBX as the daemon does, and logs
/// off afterwards.
///
/// Changes nothing on a PBX unless `probe` is true. A probe sets one member's penalty to its
/// current value, to test whether Asterisk sends the event. `asterisk_folder` is the folder with
/// the configuration of this machine's Asterisk, if there is one.
pub async fn check(settings: Settings, probe: bool, asterisk_folder: &Path) -> Report {
    let mut report = Report::new();
    configuration::check(&settings, &mut report);
    check_system_limits(&settings, &mut report);
    state::check(&settings.state, &mut report);
    let organizations = settings.directory.organizations();
    let pbxes = settings.pbxes.into_iter();
    // Check all PBXes concurrently, so that an unresponsive PBX does not delay the others.
    let checks = pbxes.map(|pbx| {
        let distribution = Distribution::at(&pbx.link.address, asterisk_folder);
        pbx::check(pbx, organizations, distribution, probe)
    });
    for pbx_report in join_all(checks).await {
        report.merge(pbx_report);
    }
    report
}

/// Warns about each limit of the operating system that is too low for the configuration.
fn check_system_limits(settings: &Settings, report: &mut Report) {
    for shortage in shortages(&SystemLimits::of_daemon(), &Demand::of(settings)) {
        report.warn(shortage.to_string());
    }
}
