//! The settings that take effect only at startup.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::ami::value::HeaderValue;
use crate::ami::{Address, LinkSettings, TlsSettings};
use crate::config::{AdminSettings, HttpSettings, PbxSettings, Settings, StateSettings};
use crate::telemetry::{LogFormat, LogSettings};

/// The settings that a reload can't apply. A reload compares the new settings with the startup
/// settings, and warns about each changed setting that needs a restart.
///
/// Every section is destructured without `..`, so a new setting must be classified here
/// before the program compiles.
#[derive(Debug)]
pub(super) struct RestartOnly {
    http_listen: SocketAddr,
    /// Whether the API uses TLS. A reload can replace the certificate.
    http_has_tls: bool,
    max_connections: usize,
    serve_stale: bool,
    admin_listen: Option<SocketAddr>,
    queue_metrics: bool,
    log_format: LogFormat,
    state_directory: Option<PathBuf>,
    pbxes: BTreeMap<String, PbxSection>,
}

#[derive(Debug)]
struct PbxSection {
    address: Address,
    username: HeaderValue,
    /// A digest suffices for the comparison, and avoids a second copy of the secret.
    secret_digest: [u8; 32],
    tls: Option<TlsSettings>,
    connect_timeout: Duration,
    max_pending: usize,
    action_timeout: Duration,
    resync_interval: Duration,
}

impl RestartOnly {
    pub(super) fn of(settings: &Settings) -> Self {
        let Settings {
            http,
            admin,
            log,
            state,
            pbxes,
            lockout: _,
            directory: _,
            overlaps: _,
        } = settings;
        let HttpSettings {
            listen: http_listen,
            tls,
            max_connections,
            serve_stale,
            path: _,
            cors_origins: _,
            trusted_proxies: _,
            reject_unknown_parameters: _,
            panel: _,
        } = http;
        let AdminSettings {
            listen: admin_listen,
            queue_metrics,
        } = admin;
        let LogSettings { format, level: _ } = log;
        let StateSettings {
            directory: state_directory,
            keep: _,
        } = state;
        Self {
            http_listen: *http_listen,
            http_has_tls: tls.is_some(),
            max_connections: *max_connections,
            serve_stale: *serve_stale,
            admin_listen: *admin_listen,
            queue_metrics: *queue_metrics,
            log_format: *format,
            state_directory: state_directory.clone(),
            pbxes: pbxes
                .iter()
                .map(|pbx| (pbx.link.name.clone(), PbxSection::of(pbx)))
                .collect(),
        }
    }

    /// Returns the keys whose values differ, in alphabetical order. A PBX that exists in only
    /// one of the two configurations is reported as a table, for example `pbx.main`.
    pub(super) fn changed_keys(&self, after: &Self) -> BTreeSet<String> {
        let Self {
            http_listen,
            http_has_tls,
            max_connections,
            serve_stale,
            admin_listen,
            queue_metrics,
            log_format,
            state_directory,
            pbxes,
        } = self;
        let comparisons = [
            ("http.listen", *http_listen == after.http_listen),
            ("http.tls_certificate", *http_has_tls == after.http_has_tls),
            (
                "http.max_connections",
                *max_connections == after.max_connections,
            ),
            ("http.serve_stale", *serve_stale == after.serve_stale),
            ("admin.listen", *admin_listen == after.admin_listen),
            ("admin.queue_metrics", *queue_metrics == after.queue_metrics),
            ("log.format", *log_format == after.log_format),
            ("state.directory", *state_directory == after.state_directory),
        ];
        let mut changed: BTreeSet<String> =
            changed_names(&comparisons).map(str::to_owned).collect();
        for name in pbxes.keys().chain(after.pbxes.keys()) {
            match (pbxes.get(name), after.pbxes.get(name)) {
                (Some(before), Some(after)) => {
                    let comparisons = before.compare(after);
                    changed
                        .extend(changed_names(&comparisons).map(|key| format!("pbx.{name}.{key}")));
                }
                _ => {
                    changed.insert(format!("pbx.{name}"));
                }
            }
        }
        changed
    }
}

impl PbxSection {
    fn of(settings: &PbxSettings) -> Self {
        let PbxSettings {
            link,
            action_timeout,
            resync_interval,
        } = settings;
        let LinkSettings {
            name: _,
            address,
            username,
            secret,
            tls,
            connect_timeout,
            max_pending,
        } = link;
        Self {
            address: address.clone(),
            username: username.clone(),
            secret_digest: Sha256::digest(secret.as_bytes()).into(),
            tls: tls.clone(),
            connect_timeout: *connect_timeout,
            max_pending: *max_pending,
            action_timeout: *action_timeout,
            resync_interval: *resync_interval,
        }
    }

    /// Returns each key of the section, and whether its value is unchanged.
    fn compare(&self, after: &Self) -> [(&'static str, bool); 8] {
        let Self {
            address,
            username,
            secret_digest,
            tls,
            connect_timeout,
            max_pending,
            action_timeout,
            resync_interval,
        } = self;
        [
            ("address", *address == after.address),
            ("username", *username == after.username),
            ("secret", *secret_digest == after.secret_digest),
            ("tls", *tls == after.tls),
            ("connect_timeout", *connect_timeout == after.connect_timeout),
            ("max_pending", *max_pending == after.max_pending),
            ("action_timeout", *action_timeout == after.action_timeout),
            ("resync_interval", *resync_interval == after.resync_interval),
        ]
    }
}

fn changed_names<'a>(comparisons: &[(&'a str, bool)]) -> impl Iterator<Item = &'a str> {
    let changed = comparisons.iter().filter(|(_, is_same)| !is_same);
    changed.map(|(key, _)| *key)
}
