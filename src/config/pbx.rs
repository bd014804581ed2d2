//! What the file must say of a PBX.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file;
use super::network::pbx_address;
use super::text::{check_line, line_of_file};
use super::validate::{Check, PbxSettings};
use crate::ami::value::HeaderValue;
use crate::ami::{Address, LinkSettings, TlsSettings, Trust};

impl Check<'_> {
    pub(super) fn pbx(&mut self, name: String, pbx: file::Pbx) -> Option<PbxSettings> {
        let key = |part: &str| format!("pbx.{name}.{part}");
        self.name(&format!("pbx.{name}"), &name);
        let address = self.take(&key("address"), pbx_address(&pbx.address));
        let username = match &pbx.username {
            Some(username) => {
                let value = HeaderValue::new(username).map_err(|error| error.to_string());
                let value = check_line(username).and(value);
                self.take(&key("username"), value)
            }
            None => {
                self.missing(&key("username"), "the AMI user, a section of manager.conf");
                None
            }
        };
        let secret = self.secret(&name, &pbx);
        let tls = self.tls(&name, &pbx, address.as_ref());
        let action_timeout = self.duration(&key("action_timeout"), &pbx.action_timeout);
        let connect_timeout = self.duration(&key("connect_timeout"), &pbx.connect_timeout);
        let resync_interval = self.duration(&key("resync_interval"), &pbx.resync_interval);
        let max_pending = self.count(&key("max_pending"), pbx.max_pending);
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

    /// Two sections for one PBX would hide which organizations reach into each other.
    pub(super) fn different_places(&mut self, pbxes: &[PbxSettings]) {
        for (place, pbx) in pbxes.iter().enumerate() {
            let same = |other: &&PbxSettings| other.link.address.is_same_place(&pbx.link.address);
            if let Some(other) = pbxes[..place].iter().find(same) {
                self.mistake(
                    format!("pbx.{}.address", pbx.link.name),
                    format!(
                        "is that of pbx.{} too: with two sections for one PBX it can't be seen which \
                         organizations could reach into each other",
                        other.link.name
                    ),
                );
            }
        }
    }

    /// `Some(None)` where the link is to be plain.
    fn tls(
        &mut self,
        name: &str,
        pbx: &file::Pbx,
        address: Option<&Address>,
    ) -> Option<Option<TlsSettings>> {
        let key = |part: &str| format!("pbx.{name}.{part}");
        if !pbx.tls {
            for (part, value) in [
                ("tls_ca_file", &pbx.tls_ca_file),
                ("tls_pin_sha256", &pbx.tls_pin_sha256),
                ("tls_server_name", &pbx.tls_server_name),
            ] {
                if value.is_some() {
                    self.mistake(key(part), "has no effect without tls = true");
                }
            }
            return Some(None);
        }
        let trust = match (&pbx.tls_ca_file, &pbx.tls_pin_sha256) {
            (Some(_), Some(_)) => {
                let what = "give tls_ca_file or tls_pin_sha256, not both";
                self.mistake(key("tls_pin_sha256"), what);
                return None;
            }
            (Some(path), None) => Trust::Authority(path.into()),
            (None, Some(pin)) => {
                let what = "must be the SHA-256 of the certificate: 64 hex digits, with or \
                            without colons";
                Trust::Pin(self.take(&key("tls_pin_sha256"), sha256(pin).ok_or(what))?)
            }
            (None, None) => Trust::System,
        };
        let server_name = pbx.tls_server_name.as_deref();
        let server_name = server_name.or(address.map(Address::host))?;
        self.take(&key("tls"), TlsSettings::new(trust, server_name))
            .map(Some)
    }

    fn secret(&mut self, name: &str, pbx: &file::Pbx) -> Option<Zeroizing<String>> {
        let key = format!("pbx.{name}.secret");
        let file_key = format!("pbx.{name}.secret_file");
        match (&pbx.secret, &pbx.secret_file) {
            (Some(_), Some(_)) => {
                self.mistake(key, "give secret or secret_file, not both");
                None
            }
            (Some(secret), None) => {
                self.take(&key, check_line(&secret.0));
                Some(secret.0.clone())
            }
            (None, Some(path)) => self.take(&file_key, secret_of_file(path)),
            (None, None) => {
                self.missing(
                    &key,
                    "the AMI user's secret, or secret_file with the path of one",
                );
                None
            }
        }
    }
}

/// The secret that the file holds. The mistake has neither the secret nor the path: a
/// secret may have been put there.
fn secret_of_file(path: &str) -> Result<Zeroizing<String>, String> {
    check_line(path).map_err(|what| format!("is not a path: {what}"))?;
    let bytes = std::fs::read(credential(path)).map_err(|error| {
        let place = if Path::new(&path).is_relative() {
            "; a relative path is looked for in $CREDENTIALS_DIRECTORY, and without that in \
             the current folder"
        } else {
            ""
        };
        format!("can't be read as a file: {error}{place}")
    })?;
    let bytes = Zeroizing::new(bytes);
    let Ok(text) = std::str::from_utf8(&bytes) else {
        let what = "names a file that is not in UTF-8: save it as plain text (PowerShell's > \
                    writes UTF-16)";
        return Err(what.to_owned());
    };
    let secret = line_of_file(text);
    if secret.is_empty() {
        return Err("names an empty file".to_owned());
    }
    if secret.contains(['\r', '\n']) {
        return Err("names a file of more than one line".to_owned());
    }
    check_line(secret).map_err(|what| format!("names a file whose line {what}"))?;
    Ok(Zeroizing::new(secret.to_owned()))
}

/// A relative path is that of a credential, where systemd gives some
/// (`LoadCredential=`).
fn credential(path: &str) -> PathBuf {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY").unwrap_or_default();
    // An absolute path takes the place of the folder.
    PathBuf::from(folder).join(path)
}

/// As `openssl x509 -fingerprint -sha256` prints it, or without colons.
fn sha256(text: &str) -> Option<[u8; 32]> {
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
