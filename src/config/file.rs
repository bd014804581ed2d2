//! The shape of the file. Every key is optional here, so that a missing one is
//! reported beside the other mistakes; [`super::validate`] says what is needed.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};
use zeroize::Zeroizing;

/// A value that is never shown.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(pub(super) Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) http: Http,
    pub(super) admin: Admin,
    pub(super) log: Log,
    pub(super) lockout: Lockout,
    pub(super) pbx: BTreeMap<String, Pbx>,
    pub(super) organization: BTreeMap<String, Organization>,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Http {
    pub(super) listen: String,
    pub(super) path: String,
    pub(super) tls_certificate: Option<String>,
    pub(super) tls_key: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(super) cors_origins: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(super) trusted_proxies: Vec<String>,
    pub(super) unknown_parameters: String,
    pub(super) serve_stale: bool,
    pub(super) panel: bool,
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

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Admin {
    pub(super) listen: String,
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

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Lockout {
    pub(super) attempts: u64,
    pub(super) window: String,
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

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Pbx {
    pub(super) address: String,
    pub(super) username: Option<String>,
    pub(super) secret: Option<Secret>,
    pub(super) secret_file: Option<String>,
    pub(super) tls: bool,
    pub(super) tls_ca_file: Option<String>,
    pub(super) tls_pin_sha256: Option<String>,
    pub(super) tls_server_name: Option<String>,
    pub(super) action_timeout: String,
    pub(super) connect_timeout: String,
    pub(super) resync_interval: String,
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

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Organization {
    pub(super) pbx: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(super) queues: Vec<String>,
    pub(super) queue_name: String,
    #[serde(deserialize_with = "some_list")]
    pub(super) agents: Option<Vec<String>>,
    pub(super) interface: String,
    pub(super) state_interface: String,
    pub(super) shared: bool,
    pub(super) user: Vec<User>,
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
            user: Vec::new(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct User {
    pub(super) username: Option<String>,
    pub(super) password_hash: Option<Secret>,
    pub(super) password_md5: Option<Secret>,
    pub(super) password: Option<Secret>,
    #[serde(deserialize_with = "list")]
    pub(super) actions: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(super) allow_from: Vec<String>,
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
        }
    }
}

/// A list, or (from an environment variable) its items with commas between.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Items;

    impl<'de> Visitor<'de> for Items {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of strings")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            let items = text.split(',').map(|item| item.trim().to_owned());
            let items: Vec<String> = items.filter(|item| !item.is_empty()).collect();
            // An empty list of networks allows any: it must not come by accident.
            if items.is_empty() {
                return Err(E::invalid_value(Unexpected::Str(text), &self));
            }
            Ok(items)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = seq.next_element()? {
                items.push(item);
            }
            Ok(items)
        }
    }

    deserializer.deserialize_any(Items)
}

fn some_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    list(deserializer).map(Some)
}
