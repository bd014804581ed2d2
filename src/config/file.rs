//! The tables and keys in the file, with their defaults.
//!
//! Every key is optional here. [`super::validate`] reports missing required keys, together
//! with all other mistakes.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::field;
use super::wrapup_field::{self, Wrapup};

/// A string whose `Debug` output is hidden.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(pub(super) Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) http: Http,
    pub(super) admin: Admin,
    pub(super) log: Log,
    pub(super) lockout: Lockout,
    pub(super) state: State,
    pub(super) pbx: BTreeMap<String, Pbx>,
    pub(super) organization: BTreeMap<String, Organization>,
}

/// `[http]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Http {
    pub(super) listen: String,
    pub(super) path: String,
    pub(super) tls_certificate: Option<String>,
    pub(super) tls_key: Option<String>,
    #[serde(deserialize_with = "field::list")]
    pub(super) cors_origins: Vec<String>,
    #[serde(deserialize_with = "field::list")]
    pub(super) trusted_proxies: Vec<String>,
    pub(super) unknown_parameters: String,
    #[serde(deserialize_with = "field::boolean")]
    pub(super) serve_stale: bool,
    #[serde(deserialize_with = "field::boolean")]
    pub(super) panel: bool,
    #[serde(deserialize_with = "field::integer")]
    pub(super) max_connections: u64,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8088".into(),
            path: "/API/UpdateAgentState.php".into(),
            tls_certificate: None,
            tls_key: None,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            unknown_parameters: "reject".into(),
            serve_stale: false,
            panel: true,
            max_connections: 4096,
        }
    }
}

/// `[admin]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Admin {
    pub(super) listen: String,
    #[serde(deserialize_with = "field::boolean")]
    pub(super) queue_metrics: bool,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9088".into(),
            queue_metrics: true,
        }
    }
}

/// `[log]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Log {
    pub(super) level: String,
    pub(super) format: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: "auto".into(),
        }
    }
}

/// `[lockout]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Lockout {
    #[serde(deserialize_with = "field::integer")]
    pub(super) attempts: u64,
    #[serde(deserialize_with = "field::duration")]
    pub(super) window: String,
    #[serde(deserialize_with = "field::duration")]
    pub(super) duration: String,
}

impl Default for Lockout {
    fn default() -> Self {
        Self {
            attempts: 10,
            window: "1m".into(),
            duration: "1m".into(),
        }
    }
}

/// `[state]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct State {
    pub(super) directory: Option<String>,
    #[serde(deserialize_with = "field::duration")]
    pub(super) keep: String,
}

impl Default for State {
    fn default() -> Self {
        Self {
            directory: None,
            keep: "400d".into(),
        }
    }
}

/// `[pbx.NAME]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Pbx {
    pub(super) address: String,
    pub(super) username: Option<String>,
    pub(super) secret: Option<Secret>,
    pub(super) secret_file: Option<String>,
    #[serde(deserialize_with = "field::boolean")]
    pub(super) tls: bool,
    pub(super) tls_ca_file: Option<String>,
    pub(super) tls_pin_sha256: Option<String>,
    pub(super) tls_server_name: Option<String>,
    #[serde(deserialize_with = "field::duration")]
    pub(super) action_timeout: String,
    #[serde(deserialize_with = "field::duration")]
    pub(super) connect_timeout: String,
    #[serde(deserialize_with = "field::duration")]
    pub(super) resync_interval: String,
    #[serde(deserialize_with = "field::integer")]
    pub(super) max_pending: u64,
}

impl Default for Pbx {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:5038".into(),
            username: None,
            secret: None,
            secret_file: None,
            tls: false,
            tls_ca_file: None,
            tls_pin_sha256: None,
            tls_server_name: None,
            action_timeout: "5s".into(),
            connect_timeout: "5s".into(),
            resync_interval: "60s".into(),
            max_pending: 1024,
        }
    }
}

/// `[organization.NAME]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Organization {
    pub(super) pbx: Option<String>,
    #[serde(deserialize_with = "field::list")]
    pub(super) queues: Vec<String>,
    pub(super) queue_name: String,
    #[serde(deserialize_with = "field::optional_list")]
    pub(super) agents: Option<Vec<String>>,
    pub(super) interface: String,
    pub(super) state_interface: String,
    #[serde(deserialize_with = "field::boolean")]
    pub(super) shared: bool,
    #[serde(deserialize_with = "wrapup_field::wrapup")]
    pub(super) wrapup: Wrapup,
    #[serde(deserialize_with = "field::boolean")]
    pub(super) reason_required: bool,
    #[serde(deserialize_with = "field::boolean")]
    pub(super) other_reasons: bool,
    pub(super) time_zone: Option<String>,
    pub(super) reason: Vec<Reason>,
    pub(super) user: Vec<User>,
    pub(super) token: Vec<Token>,
}

impl Default for Organization {
    fn default() -> Self {
        Self {
            pbx: None,
            queues: Vec::new(),
            queue_name: "{queue}".into(),
            agents: None,
            interface: "PJSIP/{agent}".into(),
            state_interface: String::new(),
            shared: false,
            wrapup: Wrapup::PerQueue(BTreeMap::new()),
            reason_required: false,
            other_reasons: true,
            time_zone: None,
            reason: Vec::new(),
            user: Vec::new(),
            token: Vec::new(),
        }
    }
}

/// `[[organization.NAME.reason]]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Reason {
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "field::optional_duration")]
    pub(super) limit: Option<String>,
    #[serde(deserialize_with = "field::boolean")]
    pub(super) ends: bool,
}

/// `[[organization.NAME.user]]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct User {
    pub(super) username: Option<String>,
    pub(super) password_hash: Option<Secret>,
    pub(super) password_md5: Option<Secret>,
    pub(super) password: Option<Secret>,
    #[serde(deserialize_with = "field::list")]
    pub(super) actions: Vec<String>,
    #[serde(deserialize_with = "field::list")]
    pub(super) allow_from: Vec<String>,
    #[serde(deserialize_with = "field::list")]
    pub(super) agents: Vec<String>,
    #[serde(deserialize_with = "field::list")]
    pub(super) queues: Vec<String>,
    #[serde(deserialize_with = "field::boolean")]
    pub(super) sees_colleagues: bool,
}

impl Default for User {
    fn default() -> Self {
        Self {
            username: None,
            password_hash: None,
            password_md5: None,
            password: None,
            actions: vec!["*".into()],
            allow_from: Vec::new(),
            agents: Vec::new(),
            queues: Vec::new(),
            sees_colleagues: false,
        }
    }
}

/// `[[organization.NAME.token]]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Token {
    pub(super) name: Option<String>,
    pub(super) token_hash: Option<Secret>,
    pub(super) expires: Option<String>,
    #[serde(deserialize_with = "field::list")]
    pub(super) actions: Vec<String>,
    #[serde(deserialize_with = "field::list")]
    pub(super) allow_from: Vec<String>,
    #[serde(deserialize_with = "field::list")]
    pub(super) agents: Vec<String>,
    #[serde(deserialize_with = "field::list")]
    pub(super) queues: Vec<String>,
    #[serde(deserialize_with = "field::boolean")]
    pub(super) sees_colleagues: bool,
}

impl Default for Token {
    fn default() -> Self {
        Self {
            name: None,
            token_hash: None,
            expires: None,
            actions: vec!["*".into()],
            allow_from: Vec::new(),
            agents: Vec::new(),
            queues: Vec::new(),
            sees_colleagues: false,
        }
    }
}
