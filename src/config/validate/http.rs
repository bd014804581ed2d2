//! `[http]`

use std::sync::Arc;

use tokio_rustls::rustls::sign::CertifiedKey;

use super::network::{is_origin, networks};
use super::value::{count, listen_address};
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::config::settings::HttpSettings;
use crate::http::{CertificateFiles, EVENTS_PATH, OPENAPI_PATH};

pub(super) fn validate(table: &file::Http, mistakes: &mut Mistakes) -> Option<HttpSettings> {
    let tls = tls(table, mistakes);
    for origin in &table.cors_origins {
        if !is_origin(origin) {
            let message = format!(
                "\"{origin}\" is not an origin such as \"https://panel.example.com\": scheme \
                 and lower-case host, and a port only if it is not the scheme's default"
            );
            mistakes.add("http.cors_origins", message);
        }
    }
    if !is_available_path(&table.path) {
        let message = "must be a path below /, such as \"/API/UpdateAgentState.php\", without \
                       ?, # or %, without empty, . or .. segments, and not one that the bridge \
                       uses itself (/agent, /events, /openapi.json, /panel/…, \
                       /wall)";
        mistakes.add("http.path", message);
    }
    let reject_unknown_parameters = match table.unknown_parameters.as_str() {
        "reject" => Ok(true),
        "ignore" => Ok(false),
        _ => Err("must be \"reject\" or \"ignore\""),
    };
    let reject_unknown_parameters =
        mistakes.ok_or_add("http.unknown_parameters", reject_unknown_parameters);
    let max_connections = mistakes.ok_or_add("http.max_connections", count(table.max_connections));
    let trusted_proxies = networks("http.trusted_proxies", &table.trusted_proxies, mistakes);
    let listen = mistakes.ok_or_add("http.listen", listen_address(&table.listen));
    Some(HttpSettings {
        listen: listen?,
        tls: tls?,
        path: table.path.clone(),
        cors_origins: table.cors_origins.clone(),
        trusted_proxies,
        reject_unknown_parameters: reject_unknown_parameters?,
        serve_stale: table.serve_stale,
        panel: table.panel,
        max_connections: max_connections?,
    })
}

/// Returns `Some(None)` if the listener is configured without TLS.
fn tls(
    table: &file::Http,
    mistakes: &mut Mistakes,
) -> Option<Option<(CertificateFiles, Arc<CertifiedKey>)>> {
    let (certificate, key) = match (&table.tls_certificate, &table.tls_key) {
        (None, None) => return Some(None),
        (Some(certificate), Some(key)) => (certificate, key),
        _ => {
            let message = "set both tls_certificate and tls_key, or neither";
            mistakes.add("http.tls_certificate", message);
            return None;
        }
    };
    let files = CertificateFiles {
        certificate: certificate.into(),
        key: key.into(),
    };
    let loaded = mistakes.ok_or_add("http.tls_certificate", files.load())?;
    Some(Some((files, loaded)))
}

/// Returns true if the path is valid and not reserved for another resource. Clients remove
/// empty, `.` and `..` segments before they send a request, so a path with such a segment
/// would never match.
fn is_available_path(path: &str) -> bool {
    let reserved = [EVENTS_PATH, OPENAPI_PATH, "/panel", "/agent", "/wall"];
    let is_below = |reserved: &&str| path == *reserved || path.starts_with(&format!("{reserved}/"));
    let is_preserved = |segment: &str| !["", ".", ".."].contains(&segment);
    let is_allowed = |b: u8| b.is_ascii_graphic() && !b"?#%".contains(&b);
    let segments = path
        .strip_prefix('/')
        .map(|path| path.trim_end_matches('/'));
    segments.is_some_and(|segments| segments.split('/').all(is_preserved))
        && path.bytes().all(is_allowed)
        && !reserved.iter().any(is_below)
}
