//! The expiry of tokens.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::organizations::Directory;

/// Registers the expiry of each token that expires, with the labels `organization` and `name`.
pub(super) fn register_expiry(directory: &Directory, registry: &mut Registry) {
    let family = Family::<Vec<(&'static str, String)>, Gauge>::default();
    for token in directory.expiring_tokens() {
        let labels = [("organization", token.organization), ("name", token.name)];
        let labels = labels.map(|(label, value)| (label, value.to_owned()));
        let seconds = token.expires_at.div_euclid(1000);
        family.get_or_create(&labels.to_vec()).set(seconds);
    }
    let help = "Unix time at which a token expires";
    registry.register_with_unit("token_expiry_timestamp", help, Unit::Seconds, family);
}
