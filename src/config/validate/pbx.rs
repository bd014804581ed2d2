//! `[pbx.NAME]`

use zeroize::Zeroizing;

use super::network::pbx_address;
use super::secret_file::read_secret;
use super::text::check_line;
use super::value::{count, duration, table_name};
use crate::ami::value::HeaderValue;
use crate::ami::{Address, LinkSettings, TlsSettings, Trust};
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::config::settings::PbxSettings;

pub(super) fn validate(
    name: String,
    table: file::Pbx,
    mistakes: &mut Mistakes,
) -> Option<PbxSettings> {
    let key = |key: &str| format!("pbx.{name}.{key}");
    mistakes.ok_or_add(&format!("pbx.{name}"), table_name(&name));
    let address = mistakes.ok_or_add(&key("address"), pbx_address(&table.address));
    let username = match &table.username {
        Some(username) => {
            let value = HeaderValue::new(username).map_err(|error| error.to_string());
            let value = check_line(username).and(value);
            mistakes.ok_or_add(&key("username"), value)
        }
        None => {
            let hint = "the AMI user, which is a section of manager.conf";
            mistakes.add_missing(&key("username"), hint);
            None
        }
    };
    let secret = secret(&name, &table, mistakes);
    let tls = tls(&name, &table, address.as_ref(), mistakes);
    let action_timeout =
        mistakes.ok_or_add(&key("action_timeout"), duration(&table.action_timeout));
    let connect_timeout =
        mistakes.ok_or_add(&key("connect_timeout"), duration(&table.connect_timeout));
    let resync_interval =
        mistakes.ok_or_add(&key("resync_interval"), duration(&table.resync_interval));
    let max_pending = mistakes.ok_or_add(&key("max_pending"), count(table.max_pending));
    Some(PbxSettings {
        link: LinkSettings {
            address: address?,
            username: username?,
            secret: secret?,
            tls: tls?,
            connect_timeout: connect_timeout?,
            max_pending: max_pending?,
            name,
        },
        action_timeout: action_timeout?,
        resync_interval: resync_interval?,
    })
}

/// Reports PBXes with the same address as mistakes, because overlaps are only detected between
/// organizations with the same `[pbx.NAME]`.
pub(super) fn require_distinct_addresses(pbxes: &[PbxSettings], mistakes: &mut Mistakes) {
    for (index, pbx) in pbxes.iter().enumerate() {
        let has_same_address =
            |earlier: &&PbxSettings| earlier.link.address.is_same_endpoint(&pbx.link.address);
        if let Some(earlier) = pbxes[..index].iter().find(has_same_address) {
            mistakes.add(
                format!("pbx.{}.address", pbx.link.name),
                format!(
                    "is also the address of pbx.{}: use one [pbx.NAME] for both, so that \
                     overlaps between their organizations can be found",
                    earlier.link.name
                ),
            );
        }
    }
}

fn secret(name: &str, table: &file::Pbx, mistakes: &mut Mistakes) -> Option<Zeroizing<String>> {
    let key = format!("pbx.{name}.secret");
    let file_key = format!("pbx.{name}.secret_file");
    match (&table.secret, &table.secret_file) {
        (Some(_), Some(_)) => {
            mistakes.add(key, "set either secret or secret_file, not both");
            None
        }
        (Some(secret), None) => {
            mistakes.ok_or_add(&key, check_line(&secret.0));
            Some(secret.0.clone())
        }
        (None, Some(path)) => mistakes.ok_or_add(&file_key, read_secret(path)),
        (None, None) => {
            let hint = "the AMI user's secret (or set secret_file to the path of a file with it)";
            mistakes.add_missing(&key, hint);
            None
        }
    }
}

/// Returns `Some(None)` if the link is configured without TLS.
fn tls(
    name: &str,
    table: &file::Pbx,
    address: Option<&Address>,
    mistakes: &mut Mistakes,
) -> Option<Option<TlsSettings>> {
    let key = |key: &str| format!("pbx.{name}.{key}");
    if !table.tls {
        for (tls_key, value) in [
            ("tls_ca_file", &table.tls_ca_file),
            ("tls_pin_sha256", &table.tls_pin_sha256),
            ("tls_server_name", &table.tls_server_name),
        ] {
            if value.is_some() {
                mistakes.add(key(tls_key), "has no effect without tls = true");
            }
        }
        return Some(None);
    }
    let trust = match (&table.tls_ca_file, &table.tls_pin_sha256) {
        (Some(_), Some(_)) => {
            let message = "set either tls_ca_file or tls_pin_sha256, not both";
            mistakes.add(key("tls_pin_sha256"), message);
            return None;
        }
        (Some(path), None) => Trust::Authority(path.into()),
        (None, Some(pin)) => {
            let message = "must be the certificate's SHA-256 fingerprint: 64 hex digits, \
                           with or without colons";
            let fingerprint = parse_fingerprint(pin).ok_or(message);
            Trust::Pin(mistakes.ok_or_add(&key("tls_pin_sha256"), fingerprint)?)
        }
        (None, None) => Trust::System,
    };
    let server_name = table.tls_server_name.as_deref();
    let server_name = server_name.or(address.map(Address::host));
    // An invalid address is already reported. Check the trust settings with a placeholder
    // name, so that their mistakes are reported as well.
    let checked_name = server_name.unwrap_or("unknown.invalid");
    let settings = mistakes.ok_or_add(&key("tls"), TlsSettings::new(trust, checked_name))?;
    server_name.map(|_| Some(settings))
}

/// Parses a fingerprint in the format of `openssl x509 -fingerprint -sha256`, with or without
/// colons.
fn parse_fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let mut bytes = [0; 32];
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
