//! A self-signed certificate for the HTTPS interface.

use std::path::Path;

use rcgen::{CertificateParams, KeyPair};

/// Writes a self-signed certificate and its key to `folder`, after `edit` has changed the
/// parameters of the certificate. Returns an `[http]` section that names both files.
pub(crate) fn http_tls_section(folder: &Path, edit: impl FnOnce(&mut CertificateParams)) -> String {
    let pair = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("names");
    edit(&mut params);
    let own = params.self_signed(&pair).expect("a certificate");
    let (certificate, key) = (folder.join("own.pem"), folder.join("own.key"));
    std::fs::write(&certificate, own.pem()).expect("written");
    std::fs::write(&key, pair.serialize_pem()).expect("written");
    format!("[http]\ntls_certificate = {certificate:?}\ntls_key = {key:?}")
}
