//! Warnings about a valid configuration, at startup and after each reload.

use tracing::warn;

use crate::certificate;
use crate::http::Tls;
use crate::organizations::Overlap;
use crate::system_limits::Shortage;

/// Warns about organizations that can reach the same queues or phones.
pub(super) fn warn_about_overlaps(overlaps: &[Overlap]) {
    for overlap in overlaps {
        warn!(
            example = overlap.example,
            "{} and {} share queues or phones, as configured (shared = true)",
            overlap.first,
            overlap.second
        );
    }
}

/// Warns if clients reject the API's certificate, or will soon reject it.
pub(super) fn warn_about_certificate(tls: Option<&Tls>) {
    if let Some(tls) = tls {
        certificate::warn_unless_valid(tls.certificate().as_deref());
    }
}

/// Warns about each limit of the operating system that is too low for the configuration.
pub(super) fn warn_about_system_limits(shortages: &[Shortage]) {
    for shortage in shortages {
        let Shortage { limit, needed, .. } = shortage;
        warn!(limit, needed, "system limit too low: {shortage}");
    }
}
