//! `ami-bridge check`: whether what is configured will work.
//!
//! `pbx` asks each PBX, `report` is what was found, and `text` says it to people;
//! JSON is the report as it is.

mod pbx;
mod probe;
mod report;
mod text;

use std::net::SocketAddr;

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::certificate::{Verdict, judge};
use crate::config::Settings;

pub use report::{CertificateReport, OrganizationReport, OverlapReport, PbxReport, Report};

/// Links to each PBX as the daemon would, looks for the organizations' queues,
/// and logs off again. With `probes`, one member's penalty is set to the value that it
/// has, to see whether events come.
pub async fn check(settings: Settings, probes: bool) -> Report {
    let mut report = Report::nothing_found();
    exposure(&mut report, &settings);
    for overlap in settings.overlaps {
        report.warnings.push(format!(
            "{} and {} share {} and the like, as configured",
            overlap.first, overlap.second, overlap.example
        ));
        report.overlaps.push(OverlapReport {
            first: overlap.first,
            second: overlap.second,
            example: overlap.example,
        });
    }
    for username in settings.directory.weakly_stored() {
        report.warnings.push(format!(
            "user {username}: whoever reads the file can log in; use password_hash \
             (ami-bridge hash-password)"
        ));
    }
    if let Some((_, certified)) = &settings.http.tls {
        certificate(&mut report, certified.cert.first().map(AsRef::as_ref));
    }
    let organizations = settings.directory.organizations();
    let pbxes = settings.pbxes.into_iter();
    let asked = pbxes.map(|pbx| pbx::ask(pbx, organizations, probes));
    // All at once: one that is dead holds no other up.
    for found in join_all(asked).await {
        report.append(found);
    }
    report
}

/// One that is not valid is served all the same, and clients refuse it.
fn certificate(report: &mut Report, der: Option<&[u8]>) {
    let now = Timestamp::now();
    let (end, verdict) = judge(der, now);
    report.certificate = end.map(|end| CertificateReport::of(end, now));
    let subject = "http.tls_certificate";
    match verdict {
        Verdict::Valid => {}
        Verdict::Doubtful(told) => report.warnings.push(format!("{subject}: {told}")),
        Verdict::Invalid(told) => report.fail(format!("{subject}: {told}; clients refuse it")),
    }
}

/// Warns of what others on the network could read.
fn exposure(report: &mut Report, settings: &Settings) {
    let http = &settings.http;
    let is_open = |address: SocketAddr| !address.ip().is_loopback();
    if is_open(http.listen) && http.tls.is_none() && http.trusted_proxies.is_empty() {
        report.warnings.push(
            "http.listen: passwords cross the network in plain text; set http.tls_certificate, \
             or listen on 127.0.0.1 behind a proxy with TLS"
                .to_owned(),
        );
    }
    if settings.admin.listen.is_some_and(is_open) {
        report.warnings.push(
            "admin.listen: whoever reaches it can read /metrics and /readyz, which ask for no \
             password"
                .to_owned(),
        );
    }
    for pbx in &settings.pbxes {
        let link = &pbx.link;
        if link.tls.is_none() && !link.address.is_loopback() {
            report.warnings.push(format!(
                "pbx {}: what is said to {} crosses the network in plain text, where it can be \
                 read and changed; set tls = true (the secret itself is not sent)",
                link.name, link.address
            ));
        }
    }
}
