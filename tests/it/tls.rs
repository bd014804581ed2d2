//! TLS towards Asterisk: with its certificate pinned or signed by a known
//! authority, and with what operators get wrong.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::support::{Asterisk, Bridge, binary, configuration, free_port, on_both_generations};

on_both_generations!(
    a_link_over_tls_works_and_keeps_working,
    a_wrong_certificate_is_told_with_its_cure,
    certificates_of_old_recipes_are_told_with_their_cure,
);

/// An authority, and a certificate of it for localhost, as PEM files.
struct Certificates {
    folder: tempfile::TempDir,
    fingerprint: String,
}

/// Authorities of one name would be taken for one another.
static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Certificates {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut authority = CertificateParams::new([]).expect("no names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = format!("authority {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        authority.distinguished_name.push(DnType::CommonName, name);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key"))
                .expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let names = ["localhost".to_owned()];
        let certificate = CertificateParams::new(names)
            .and_then(|params| params.signed_by(&key, &authority))
            .expect("a certificate");
        for (name, text) in [
            ("ca.pem", authority.pem()),
            ("asterisk.pem", certificate.pem()),
            ("asterisk.key", key.serialize_pem()),
        ] {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        use sha2::Digest;
        let mut fingerprint = String::new();
        for byte in sha2::Sha256::digest(certificate.der()) {
            let _ = write!(fingerprint, "{byte:02X}:");
        }
        Self {
            folder,
            fingerprint: fingerprint.trim_end_matches(':').to_owned(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("written")
    }
}

/// An Asterisk that speaks TLS as well, and the port where it does.
fn asterisk(version: u32, certificates: &Certificates) -> (Asterisk, u16) {
    let text = |name: &str| certificates.text(name);
    asterisk_with(version, &text("asterisk.pem"), &text("asterisk.key"))
}

fn asterisk_with(version: u32, certificate: &str, key: &str) -> (Asterisk, u16) {
    let port = free_port();
    let asterisk = Asterisk::start_with(
        version,
        &[
            ("asterisk.pem", certificate),
            ("asterisk.key", key),
            (
                "manager.conf",
                &format!(
                    "[general]\nenabled=yes\nbindaddr=127.0.0.1\nport = 5038\n\
                     tlsenable=yes\ntlsbindaddr=127.0.0.1:{port}\n\
                     tlscertfile=@INSTANCE@/etc/asterisk.pem\n\
                     tlsprivatekey=@INSTANCE@/etc/asterisk.key\n\
                     [queuebridge]\nsecret=sample-secret-change-me\n\
                     read=agent,system\nwrite=agent\n"
                ),
            ),
        ],
    );
    (asterisk, port)
}

fn over_tls(port: u16, trust: &str) -> String {
    configuration(port)
        .replace(&format!("127.0.0.1:{port}"), &format!("localhost:{port}"))
        .replace(
            "[organization.acme]",
            &format!("tls = true\n{trust}\n[organization.acme]"),
        )
}

fn a_link_over_tls_works_and_keeps_working(version: u32) {
    let certificates = Certificates::new();
    let (_asterisk, port) = asterisk(version, &certificates);
    for trust in [
        format!("tls_pin_sha256 = \"{}\"", certificates.fingerprint),
        format!("tls_ca_file = {:?}", certificates.path("ca.pem")),
    ] {
        let bridge = Bridge::start(&over_tls(port, &trust));
        let bridge = &bridge;
        // Many at once: Asterisk's TLS would stall on two actions in a record.
        std::thread::scope(|scope| {
            for client in 0..16 {
                scope.spawn(move || {
                    for round in 0..10 {
                        let reason = format!("c{client}-{round}");
                        bridge.acme(&format!("action=pause&agent=1050&reason={reason}"));
                        bridge.acme("action=showqueue");
                    }
                });
            }
        });
        assert_eq!(bridge.sent("Login"), 1, "one session served everything");
    }
}

fn a_wrong_certificate_is_told_with_its_cure(version: u32) {
    let certificates = Certificates::new();
    let (_asterisk, port) = asterisk(version, &certificates);
    let other = Certificates::new();
    let (ca, other_ca) = (certificates.path("ca.pem"), other.path("ca.pem"));
    for (trust, part) in [
        (
            format!("tls_pin_sha256 = \"{}\"", other.fingerprint),
            "is not the one of tls_pin_sha256",
        ),
        (
            format!("tls_ca_file = {other_ca:?}"),
            "not signed by an authority of tls_ca_file",
        ),
        (
            format!("tls_ca_file = {ca:?}\ntls_server_name = \"pbx.example.com\""),
            "set tls_server_name",
        ),
    ] {
        refused(&certificates, &over_tls(port, &trust), part);
    }
}

/// As Asterisk's own recipe and a plain `openssl req -x509` make them.
fn certificates_of_old_recipes_are_told_with_their_cure(version: u32) {
    let certificates = Certificates::new();
    let old = include_str!("data/x509-v1.pem");
    let (_asterisk, port) = asterisk_with(version, old, include_str!("data/x509-v1.key"));
    let ca = certificates.path("ca.pem");
    let by_authority = format!("tls_ca_file = {ca:?}");
    refused(
        &certificates,
        &over_tls(port, &by_authority),
        "issue it anew with a subjectAltName",
    );

    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = params.self_signed(&key).expect("a certificate");
    let file = certificates.path("own.pem");
    std::fs::write(&file, own.pem()).expect("written");
    let (_asterisk, port) = asterisk_with(version, &own.pem(), &key.serialize_pem());
    let by_itself = format!("tls_ca_file = {file:?}");
    refused(
        &certificates,
        &over_tls(port, &by_itself),
        "pin it with tls_pin_sha256",
    );
}

/// `check` fails, and says so.
fn refused(certificates: &Certificates, configuration: &str, part: &str) {
    let file = certificates.path("bridge.toml");
    std::fs::write(&file, configuration).expect("written");
    let output = binary().arg("check").arg("--config").arg(&file).output();
    let output = output.expect("the program");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(part), "{part} is not in {said}");
}
