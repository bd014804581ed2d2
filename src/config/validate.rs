//! What the file must say, and the settings that come of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::file;
use super::mistake::Mistake;
use super::network::{is_origin, network};
use crate::ami::LinkSettings;
use crate::http::{CONTRACT, CertificateFiles, EVENTS};
use crate::organizations::{Directory, LockoutPolicy, Overlap};

/// Everything that the daemon needs to know.
#[derive(Debug)]
pub struct Settings {
    /// The listener of the interface.
    pub http: HttpSettings,
    /// The listener for operations.
    pub admin: AdminSettings,
    /// Logging.
    pub log: LogSettings,
    /// Against guessed passwords.
    pub lockout: LockoutPolicy,
    /// The PBXes.
    pub pbxes: Vec<PbxSettings>,
    /// Organizations and users.
    pub directory: Directory,
    /// What organizations can reach that are configured to share.
    pub overlaps: Vec<Overlap>,
}

/// The listener of the interface.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// With TLS: the files, and what was read from them.
    pub tls: Option<(CertificateFiles, Arc<CertifiedKey>)>,
    /// Path of the documented endpoint.
    pub path: String,
    /// Origins of web pages that may call the interface.
    pub cors_origins: Vec<String>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether an unknown parameter refuses a request.
    pub reject_unknown_parameters: bool,
    /// Whether reads tell what was last known while a link is down.
    pub serve_stale: bool,
    /// Whether the panel is at `/`.
    pub panel: bool,
    /// Connections at once.
    pub max_connections: usize,
}

/// The listener for operations.
#[derive(Debug, Clone)]
pub struct AdminSettings {
    /// Where to listen; `None` is nowhere.
    pub listen: Option<SocketAddr>,
    /// Whether `/metrics` has those of queues.
    pub queue_metrics: bool,
}

/// Logging.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// A `tracing` filter, as `info` or `info,ami_bridge=debug`.
    pub level: String,
    /// What a line looks like.
    pub format: LogFormat,
}

/// What a log line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, else JSON.
    Auto,
    /// For people.
    Pretty,
    /// For machines, a JSON object a line.
    Json,
    /// systemd's journal, with fields.
    Journald,
}

/// One PBX.
#[derive(Debug)]
pub struct PbxSettings {
    /// Its link.
    pub link: LinkSettings,
    /// Bound on a whole request.
    pub action_timeout: Duration,
    /// Within which every queue is asked about once.
    pub resync_interval: Duration,
}

/// Checks the file; `None` where something that is needed is missing or wrong.
pub(super) fn validate(file: file::File, mistakes: &mut Vec<Mistake>) -> Option<Settings> {
    let mut check = Check { mistakes };
    let http = check.http(&file.http);
    let admin = check.admin(&file.admin);
    if let (Some(http), Some(admin)) = (&http, &admin)
        && admin.listen == Some(http.listen)
        && http.listen.port() != 0
    {
        check.mistake("admin.listen", "is the address of http.listen, too");
    }
    let log = check.log(&file.log);
    let lockout = check.lockout(&file.lockout);
    if file.pbx.is_empty() {
        check.missing("pbx", "at least one [pbx.NAME] with username and secret");
    }
    if file.organization.is_empty() {
        check.missing(
            "organization",
            "at least one [organization.NAME] with queues and a user",
        );
    }
    let pbx_names: Vec<String> = file.pbx.keys().cloned().collect();
    let pbxes: Vec<PbxSettings> = file
        .pbx
        .into_iter()
        .filter_map(|(name, pbx)| check.pbx(name, pbx))
        .collect();
    check.different_places(&pbxes);
    let (organizations, users) = check.organizations(file.organization, &pbx_names);
    let overlaps = check.overlaps(&organizations);
    Some(Settings {
        http: http?,
        admin: admin?,
        log: log?,
        lockout: lockout?,
        pbxes,
        directory: Directory::new(organizations, users),
        overlaps,
    })
}

/// Collects mistakes while it checks.
pub(super) struct Check<'a> {
    mistakes: &'a mut Vec<Mistake>,
}

impl Check<'_> {
    pub(super) fn mistake(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.mistakes.push(Mistake {
            key: key.into(),
            message: message.into(),
        });
    }

    /// Something is missing, unless it was there and reported as wrong.
    pub(super) fn missing(&mut self, key: &str, what: &str) {
        if !self.mistakes.iter().any(|m| m.key.starts_with(key)) {
            self.mistake(key, format!("is missing: {what}"));
        }
    }

    pub(super) fn take<T>(&mut self, key: &str, result: Result<T, impl Into<String>>) -> Option<T> {
        result.map_err(|message| self.mistake(key, message)).ok()
    }

    pub(super) fn duration(&mut self, key: &str, text: &str) -> Option<Duration> {
        let parsed = text.parse::<jiff::SignedDuration>().ok();
        let parsed = parsed.filter(|_| text.trim() == text);
        let duration = parsed.and_then(|d| Duration::try_from(d).ok());
        let longest = Duration::from_secs(24 * 60 * 60);
        let positive = duration.filter(|duration| !duration.is_zero() && *duration <= longest);
        let what = "must be a duration above zero, as \"500ms\", \"5s\" or \"1m\", up to a day";
        self.take(key, positive.ok_or(what))
    }

    fn listen(&mut self, key: &str, text: &str) -> Option<SocketAddr> {
        let what = "must be address:port, as \"127.0.0.1:8088\" or \"[::]:8088\"";
        self.take(key, text.parse().map_err(|_| what))
    }

    pub(super) fn networks(&mut self, key: &str, items: &[String]) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for item in items {
            networks.extend(self.take(key, network(item)));
        }
        networks
    }

    fn http(&mut self, http: &file::Http) -> Option<HttpSettings> {
        let tls = self.http_tls(http);
        for origin in &http.cors_origins {
            if !is_origin(origin) {
                let what = format!(
                    "\"{origin}\" is not an origin, as \"https://panel.example.com\": scheme, \
                     host in lower case, a port that is not the scheme's own, and nothing after it"
                );
                self.mistake("http.cors_origins", what);
            }
        }
        if !is_free_path(&http.path) {
            let what = "must be a path below /, without ?, # or %, without empty parts, . and .., \
                        and none of the bridge's own (/events, /openapi.json, /panel/…), as \
                        \"/API/UpdateAgentState.php\"";
            self.mistake("http.path", what);
        }
        let reject_unknown_parameters = match http.unknown_parameters.as_str() {
            "reject" => Some(true),
            "ignore" => Some(false),
            _ => {
                let what = "must be \"reject\" or \"ignore\"";
                self.mistake("http.unknown_parameters", what);
                None
            }
        };
        let max_connections = self.count("http.max_connections", http.max_connections);
        let trusted_proxies = self.networks("http.trusted_proxies", &http.trusted_proxies);
        Some(HttpSettings {
            listen: self.listen("http.listen", &http.listen)?,
            tls: tls?,
            path: http.path.clone(),
            cors_origins: http.cors_origins.clone(),
            trusted_proxies,
            reject_unknown_parameters: reject_unknown_parameters?,
            serve_stale: http.serve_stale,
            panel: http.panel,
            max_connections: max_connections?,
        })
    }

    /// `Some(None)` where the listener is to be plain.
    fn http_tls(
        &mut self,
        http: &file::Http,
    ) -> Option<Option<(CertificateFiles, Arc<CertifiedKey>)>> {
        let (certificate, key) = match (&http.tls_certificate, &http.tls_key) {
            (None, None) => return Some(None),
            (Some(certificate), Some(key)) => (certificate, key),
            _ => {
                let what = "give tls_certificate and tls_key, or neither";
                self.mistake("http.tls_certificate", what);
                return None;
            }
        };
        let files = CertificateFiles {
            certificate: certificate.into(),
            key: key.into(),
        };
        let loaded = self.take("http.tls_certificate", files.load())?;
        Some(Some((files, loaded)))
    }

    pub(super) fn count(&mut self, key: &str, value: u64) -> Option<usize> {
        let fits = (1..=1_000_000).contains(&value);
        let what = "must be a number from 1 to 1000000";
        self.take(key, fits.then_some(value as usize).ok_or(what))
    }

    fn admin(&mut self, admin: &file::Admin) -> Option<AdminSettings> {
        let listen = match admin.listen.as_str() {
            "" => None,
            text => Some(self.listen("admin.listen", text)?),
        };
        Some(AdminSettings {
            listen,
            queue_metrics: admin.queue_metrics,
        })
    }

    fn log(&mut self, log: &file::Log) -> Option<LogSettings> {
        let is_filter = tracing_subscriber::EnvFilter::try_new(&log.level).is_ok();
        if !is_filter || !log.level.split(',').all(is_directive) {
            let what = "must be a level (off, error, warn, info, debug, trace) or a filter, as \
                        \"info,ami_bridge=debug\"";
            self.mistake("log.level", what);
        }
        let format = match log.format.as_str() {
            "auto" => LogFormat::Auto,
            "pretty" => LogFormat::Pretty,
            "json" => LogFormat::Json,
            "journald" => LogFormat::Journald,
            _ => {
                let what = "must be \"auto\", \"pretty\", \"json\" or \"journald\"";
                self.mistake("log.format", what);
                return None;
            }
        };
        Some(LogSettings {
            level: log.level.clone(),
            format,
        })
    }

    fn lockout(&mut self, lockout: &file::Lockout) -> Option<LockoutPolicy> {
        let attempts = self.count("lockout.attempts", lockout.attempts);
        let window = self.duration("lockout.window", &lockout.window);
        let duration = self.duration("lockout.duration", &lockout.duration);
        Some(LockoutPolicy {
            attempts: attempts? as u32,
            window: window?,
            duration: duration?,
        })
    }

    pub(super) fn name(&mut self, key: &str, name: &str) {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
            self.mistake(key, "a name has 1 to 64 letters, digits, _ or -");
        }
    }
}

/// Whether the listener has nothing else at that path, and a client can ask for it as it
/// is: clients take empty parts, `.` and `..` out themselves.
fn is_free_path(path: &str) -> bool {
    let own = [EVENTS, CONTRACT, "/panel"];
    let is_own = |own: &&str| path == *own || path.starts_with(&format!("{own}/"));
    let fits = |part: &str| !["", ".", ".."].contains(&part);
    let graphic = |b: u8| b.is_ascii_graphic() && !b"?#%".contains(&b);
    let parts = path
        .strip_prefix('/')
        .map(|path| path.trim_end_matches('/'));
    parts.is_some_and(|parts| parts.split('/').all(fits))
        && path.bytes().all(graphic)
        && !own.iter().any(is_own)
}

/// Whether a part of a filter is a level, or a level of a module. Anything else would be
/// taken for a module of that name, and nothing else logged: silence.
fn is_directive(word: &str) -> bool {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |text: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text));
    let end = word.find(['=', '[']);
    let Some(end) = end else {
        return is_level(word);
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_:-".contains(&byte);
    let level = word.rsplit_once('=').map(|(_, level)| level);
    // Of a module, numbers are levels too.
    let is_any = |level: &str| is_level(level) || ["0", "1", "2", "3", "4", "5"].contains(&level);
    word[..end].bytes().all(fits) && (word[end..].starts_with('[') || level.is_some_and(is_any))
}
