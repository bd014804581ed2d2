//! The resources of the operating system that a configuration needs.

use crate::config::Settings;

/// The resources of the operating system that a configuration needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Demand {
    /// `http.max_connections`.
    pub(crate) max_connections: u64,
    /// Number of PBXes.
    pub(crate) pbxes: u64,
    /// Whether all clients connect from this machine, because `http.listen` is a loopback
    /// address. If there are many, they come through a proxy.
    pub(crate) is_local: bool,
}

impl Demand {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            max_connections: settings.http.max_connections as u64,
            pbxes: settings.pbxes.len() as u64,
            is_local: settings.http.listen.ip().is_loopback(),
        }
    }
}
