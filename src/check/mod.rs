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

use crate::config::Settings;

pub use report::{CertificateReport, OrganizationReport, OverlapReport, PbxReport, Report};

/// Days before its end from which on a certificate is warned of.
const CERTIFICATE_DAYS: i64 = 21;

/// Links to each PBX as the daemon would, looks for the organizations' queues,
/// and logs off again.
pub async fn check(settings: Settings) -> Report {
    let mut report = Report::nothing_found();
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
    let asked = pbxes.map(|pbx| pbx::ask(pbx, organizations));
    // All at once: one that is dead holds no other up.
    for found in join_all(asked).await {
        report.append(found);
    }
    report
}

/// How long the certificate is still valid. One that is not is served all the same,
/// and clients refuse it.
fn certificate(report: &mut Report, der: Option<&[u8]>) {
    let Some((begins, ends)) = der.and_then(certificate::validity) else {
        let warning = "http.tls_certificate: how long it is valid can't be read";
        report.warnings.push(warning.to_owned());
        return;
    };
    let now = jiff::Timestamp::now();
    let left = ends.as_second() - now.as_second();
    let days = left.div_euclid(86_400);
    if begins > now {
        let error = format!(
            "http.tls_certificate: valid only from {begins} on; clients refuse it (is this \
             machine's clock right?)"
        );
        report.fail(error);
    } else if left < 0 {
        let error = format!("http.tls_certificate: expired at {ends}; clients refuse it");
        report.fail(error);
    } else if days < CERTIFICATE_DAYS {
        let warning = format!("http.tls_certificate: {days} days left; it ends at {ends}");
        report.warnings.push(warning);
    }
    report.certificate = Some(CertificateReport {
        not_after: ends.to_string(),
        days_left: days,
    });
}
