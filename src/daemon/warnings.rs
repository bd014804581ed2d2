//! Warnings about a configuration that is valid, at the start and after each reload.

use tracing::warn;

use crate::certificate;
use crate::http::Tls;
use crate::organizations::Overlap;

/// Names the organizations that can reach the same queues or phones.
pub(super) fn overlaps(overlaps: &[Overlap]) {
    for overlap in overlaps {
        warn!(
            example = overlap.example,
            "{} and {} share queues or phones, as configured (shared = true)",
            overlap.first,
            overlap.second
        );
    }
}

/// Warns if clients refuse the API's certificate now, or will soon.
pub(super) fn certificate(tls: Option<&Tls>) {
    if let Some(tls) = tls {
        certificate::warn_if_unusable(tls.certificate().as_deref());
    }
}
