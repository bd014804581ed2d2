//! The validated configuration that the rest of the program uses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::ami::LinkSettings;
use crate::http::CertificateFiles;
use crate::organizations::{Directory, LockoutPolicy, Overlap};
use crate::telemetry::LogSettings;

/// The validated configuration.
#[derive(Debug)]
pub struct Settings {
    /// `[http]`: the API listener.
    pub http: HttpSettings,
    /// `[admin]`: the listener for health checks and metrics.
    pub admin: AdminSettings,
    /// `[log]`.
    pub log: LogSettings,
    /// `[lockout]`: the limit on failed logins.
    pub lockout: LockoutPolicy,
    /// `[pbx.NAME]`, ordered by name.
    pub pbxes: Vec<PbxSettings>,
    /// `[organization.NAME]` and their users.
    pub directory: Directory,
    /// The overlaps between organizations that are allowed by `shared = true`.
    pub overlaps: Vec<Overlap>,
}

/// The API listener.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Address to listen on. The operating system chooses a port if it is 0.
    pub listen: SocketAddr,
    /// The certificate files and their loaded content; `None` for plain HTTP.
    pub tls: Option<(CertificateFiles, Arc<CertifiedKey>)>,
    /// Path of the API.
    pub path: String,
    /// Origins of web pages that may call the API from a browser.
    pub cors_origins: Vec<String>,
    /// Networks whose `X-Forwarded-For` header is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether requests with an unknown parameter are rejected.
    pub reject_unknown_parameters: bool,
    /// Whether reads return the last known state while the link to the PBX is down.
    pub serve_stale: bool,
    /// Whether the panel is served at `/`.
    pub panel: bool,
    /// Maximum number of simultaneous connections.
    pub max_connections: usize,
}

/// The listener for health checks and metrics.
#[derive(Debug, Clone)]
pub struct AdminSettings {
    /// Address to listen on; `None` disables the listener.
    pub listen: Option<SocketAddr>,
    /// Whether `/metrics` includes queue metrics.
    pub queue_metrics: bool,
}

/// A PBX.
#[derive(Debug)]
pub struct PbxSettings {
    /// How to connect and log in.
    pub link: LinkSettings,
    /// Time limit for a whole request, even if it sends several actions.
    pub action_timeout: Duration,
    /// The bridge re-reads every queue once per interval.
    pub resync_interval: Duration,
}
