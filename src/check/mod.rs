//! `ami-bridge check`: whether what is configured will work.
//!
//! `pbx` asks each PBX, `certificate` reads how long the interface's
//! certificate is valid, `report` is what was found, and `text` says it to people;
//! JSON is the report as it is.

mod certificate;
mod pbx;
mod report;
mod text;

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::config::Settings;

use certificate::{Verdict, judge};
pub use report::{CertificateReport, OrganizationReport, OverlapReport, PbxReport, Report};

/// Links to each PBX as the daemon would, looks for the organizations' queues,
/// and logs off again.
pub async fn check(settings: Settings) -> Report {
    let mut report = Report::nothing_found();
    for overlap in &settings.overlaps {
        report.warnings.push(format!(
            "{} and {} share {} and the like, as configured",
            overlap.first, overlap.second, overlap.example
        ));
        report.overlaps.push(OverlapReport {
            first: overlap.first.clone(),
            second: overlap.second.clone(),
            example: overlap.example.clone(),
        });
    }
    for username in settings.directory.weakly_stored() {
        report.warnings.push(format!(
            "user {username}: whoever reads the file can log in; use password_hash \
             (ami-bridge hash-password)"
        ));
    }
    exposure(&mut report, &settings);
    if let Some((_, certified)) = &settings.http.tls {
        certificate(&mut report, certified.cert.first().map(AsRef::as_ref));
    }
    let organizations = settings.directory.organizations();
    let pbxes = settings.pbxes.into_iter();
    let asked = pbxes.map(|pbx| pbx::ask(pbx, organizations));
    // All at once: one that is dead holds no other up.
    for found in join_all(asked).await {
        report.append(found);
    }
    report
}

/// One that is not valid is served all the same, and clients refuse it.
fn certificate(report: &mut Report, der: Option<&[u8]>) {
    let (found, verdict) = judge(der, Timestamp::now());
    report.certificate = found;
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
    let listens = http.listen.ip();
    if !listens.is_loopback() && http.tls.is_none() && http.trusted_proxies.is_empty() {
        report.warnings.push(format!(
            "http.listen: passwords cross the network to {listens} in plain text; set \
             http.tls_certificate, or listen on 127.0.0.1 behind a proxy with TLS"
        ));
    }
    let admin = settings.admin.listen.map(|address| address.ip());
    if let Some(listens) = admin.filter(|address| !address.is_loopback()) {
        report.warnings.push(format!(
            "admin.listen: whoever reaches {listens} can read /metrics and /readyz, which ask \
             for no password"
        ));
    }
    for pbx in &settings.pbxes {
        let link = &pbx.link;
        if link.tls.is_none() && !link.is_on_loopback() {
            report.warnings.push(format!(
                "pbx {}: what is said to {} crosses the network in plain text, where it can be \
                 read and changed; set tls = true (the secret itself is not sent)",
                link.name, link.address
            ));
        }
    }
}
