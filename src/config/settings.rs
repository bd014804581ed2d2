//! The validated configuration that the rest of the program uses.

use std::net::SocketAddr;
use std::path::PathBuf;
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
    /// `[state]`: where to store what must survive a restart.
    pub state: StateSettings,
    /// `[pbx.NAME]`, ordered by name.
    pub pbxes: Vec<PbxSettings>,
    /// The organizations (`[organization.NAME]`) and their users.
    pub directory: Directory,
    /// The overlaps between organizations that `shared = true` allows.
    pub overlaps: Vec<Overlap>,
}

/// The API listener.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Address to listen on. If its port is 0, the operating system chooses a free port.
    pub listen: SocketAddr,
    /// The certificate files and the certificate loaded from them; `None` for plain HTTP.
    pub tls: Option<(CertificateFiles, Arc<CertifiedKey>)>,
    /// URL path of the API.
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
    /// Whether `/metrics` includes metrics for each queue.
    pub queue_metrics: bool,
}

/// Where to store what must survive a restart.
#[derive(Debug, Clone)]
pub struct StateSettings {
    /// An absolute path; `None` keeps the state in memory.
    pub directory: Option<PathBuf>,
    /// How long the day's work is stored.
    pub keep: Duration,
}

/// The settings for one PBX.
#[derive(Debug)]
pub struct PbxSettings {
    /// Connection and login settings.
    pub link: LinkSettings,
    /// Time limit for a whole request, including all actions that it sends.
    pub action_timeout: Duration,
    /// Period in which the bridge re-reads every queue once.
    pub resync_interval: Duration,
}
