//! Checks that need only the configuration: overlaps, plain-text passwords, expiring
//! tokens, an expiring certificate, and unencrypted traffic.

use std::net::SocketAddr;

use jiff::Timestamp;

use super::report::{CertificateReport, OverlapReport, Report};
use crate::certificate::{Validity, days_between, validity_at};
use crate::config::Settings;
use crate::organizations::{Directory, ExpiringToken};

/// The check warns about tokens that expire in fewer than this many days.
const TOKEN_WARNING_DAYS: i64 = 14;

pub(super) fn check(settings: &Settings, report: &mut Report) {
    check_exposure(settings, report);
    for overlap in &settings.overlaps {
        report.warn(format!(
            "{} and {} share {}, and possibly more, because both have shared = true",
            overlap.first, overlap.second, overlap.example
        ));
        report.overlaps.push(OverlapReport {
            first: overlap.first.clone(),
            second: overlap.second.clone(),
            example: overlap.example.clone(),
        });
    }
    for username in settings.directory.users_without_hash() {
        report.warn(format!(
            "user {username}: anyone who can read the configuration can log in as this user; \
             use password_hash (`ami-bridge hash-password`)"
        ));
    }
    check_tokens(&settings.directory, Timestamp::now(), report);
    if let Some((_, certified)) = &settings.http.tls {
        check_certificate(certified.cert.first().map(AsRef::as_ref), report);
    }
}

/// Warns about tokens that expire soon or have expired.
fn check_tokens(directory: &Directory, now: Timestamp, report: &mut Report) {
    for token in directory.expiring_tokens() {
        let ExpiringToken {
            organization, name, ..
        } = token;
        let subject = format!("organization {organization}: token {name}");
        let Ok(end) = Timestamp::from_millisecond(token.expires_at) else {
            continue;
        };
        let days = days_between(now, end);
        if end <= now {
            report.warn(format!("{subject} expired at {end}; remove or replace it"));
        } else if days < TOKEN_WARNING_DAYS {
            report.warn(format!(
                "{subject} expires at {end}, in {days} days; replace it \
                 (`ami-bridge create-token`)"
            ));
        }
    }
}

/// Checks the API's certificate. The daemon starts even if the certificate is
/// invalid.
fn check_certificate(der: Option<&[u8]>, report: &mut Report) {
    let now = Timestamp::now();
    let (not_after, validity) = validity_at(der, now);
    report.certificate = not_after.map(|not_after| CertificateReport::new(not_after, now));
    let subject = "http.tls_certificate";
    match validity {
        Validity::Valid => {}
        Validity::Questionable(problem) => report.warn(format!("{subject}: {problem}")),
        Validity::Invalid(problem) => {
            report.fail(format!("{subject}: {problem}; clients refuse it"));
        }
    }
}

/// Warns about unencrypted traffic, and about listeners that others on the network can reach.
fn check_exposure(settings: &Settings, report: &mut Report) {
    let http = &settings.http;
    let is_exposed = |address: SocketAddr| !address.ip().is_loopback();
    if is_exposed(http.listen) && http.tls.is_none() && http.trusted_proxies.is_empty() {
        report.warn(
            "http.listen: passwords cross the network in plain text; set http.tls_certificate, \
             or listen on 127.0.0.1 behind a proxy with TLS",
        );
    }
    if settings.admin.listen.is_some_and(is_exposed) {
        report.warn(
            "admin.listen: anyone who can reach this address can read /metrics and /readyz \
             without a password",
        );
    }
    for pbx in &settings.pbxes {
        let link = &pbx.link;
        if link.tls.is_none() && !link.address.is_loopback() {
            report.warn(format!(
                "pbx {}: AMI traffic to {} crosses the network in plain text and can be read \
                 and changed; set tls = true (the secret itself is never sent)",
                link.name, link.address
            ));
        }
    }
}
