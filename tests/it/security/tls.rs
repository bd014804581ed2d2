//! TLS to Asterisk and to clients, and the hints that `check` gives for common mistakes.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::support::{
    API_PATH, Asterisk, Bridge, ReservedPort, bridge_command, configuration, connect_tls,
    eventually, on_both_versions, request,
};

on_both_versions!(
    link_over_tls_works_under_load,
    check_reports_the_remaining_days_of_asterisks_certificate,
    check_explains_a_wrong_certificate,
    check_explains_an_expired_certificate_and_a_wrong_port,
    check_explains_outdated_certificates,
    setup_compares_the_configuration_over_tls,
    sighup_loads_a_new_http_certificate,
);

/// A certificate authority and a certificate that it has signed for localhost, as PEM files.
struct Certificates {
    folder: tempfile::TempDir,
    fingerprint: String,
}

const DAY: Duration = Duration::from_secs(86_400);

/// The number of the next authority, which makes its name unique. TLS clients confuse
/// authorities with the same name.
static NEXT_AUTHORITY: AtomicU32 = AtomicU32::new(0);

impl Certificates {
    fn new() -> Self {
        Self::valid_for_days(90)
    }

    fn valid_for_days(days: i32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut authority = CertificateParams::new([]).expect("parameters without names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = format!(
            "authority {}",
            NEXT_AUTHORITY.fetch_add(1, Ordering::Relaxed)
        );
        authority.distinguished_name.push(DnType::CommonName, name);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key"))
                .expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let names = ["localhost".to_owned()];
        let mut certificate = CertificateParams::new(names).expect("parameters");
        // Adds an hour, because otherwise the number of whole days would drop while the test runs.
        let now = SystemTime::now() + DAY / 24;
        let end = match days {
            0.. => now + DAY * days.unsigned_abs(),
            _ => now - DAY * days.unsigned_abs(),
        };
        certificate.not_after = end.into();
        let certificate = certificate
            .signed_by(&key, &authority)
            .expect("a signed certificate");
        for (name, text) in [
            ("ca.pem", authority.pem()),
            ("asterisk.pem", certificate.pem()),
            ("asterisk.key", key.serialize_pem()),
        ] {
            std::fs::write(folder.path().join(name), text).expect("a writable file");
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
        std::fs::read_to_string(self.path(name)).expect("a readable file")
    }
}

/// Starts Asterisk with TLS enabled, and returns it with its TLS port.
fn start_asterisk(version: u32, certificates: &Certificates) -> (Asterisk, ReservedPort) {
    let text = |name: &str| certificates.text(name);
    start_asterisk_with(version, &text("asterisk.pem"), &text("asterisk.key"))
}

fn start_asterisk_with(version: u32, certificate: &str, key: &str) -> (Asterisk, ReservedPort) {
    let port = ReservedPort::reserve();
    let asterisk = Asterisk::start_with(
        version,
        &[
            ("asterisk.pem", certificate),
            ("asterisk.key", key),
            (
                "manager.conf",
                &format!(
                    "[general]\nenabled=yes\nbindaddr=127.0.0.1\nport = 5038\n\
                     tlsenable=yes\ntlsbindaddr={}\n\
                     tlscertfile=@INSTANCE@/etc/asterisk.pem\n\
                     tlsprivatekey=@INSTANCE@/etc/asterisk.key\n\
                     [queuebridge]\nsecret=sample-secret-change-me\n\
                     read=agent,system\nwrite=agent\n",
                    port.address
                ),
            ),
        ],
    );
    (asterisk, port)
}

/// Returns a configuration that connects to `port` over TLS. `trust` is a line for the `pbx`
/// section.
fn over_tls(port: &ReservedPort, trust: &str) -> String {
    let port = port.address.port();
    configuration(port)
        .replace(&format!("127.0.0.1:{port}"), &format!("localhost:{port}"))
        .replace(
            "[organization.acme]",
            &format!("tls = true\n{trust}\n[organization.acme]"),
        )
}

fn link_over_tls_works_under_load(version: u32) {
    let certificates = Certificates::new();
    let (_asterisk, port) = start_asterisk(version, &certificates);
    for trust in [
        format!("tls_pin_sha256 = \"{}\"", certificates.fingerprint),
        format!("tls_ca_file = {:?}", certificates.path("ca.pem")),
    ] {
        let bridge = Bridge::start(&over_tls(&port, &trust));
        let bridge = &bridge;
        // The clients are concurrent, because Asterisk stalls if one TLS record contains two
        // actions.
        std::thread::scope(|scope| {
            for client in 0..16 {
                scope.spawn(move || {
                    for round in 0..10 {
                        let reason = format!("c{client}-{round}");
                        bridge.acme_ok(&format!("action=pause&agent=1050&reason={reason}"));
                        bridge.acme_ok("action=showqueue");
                    }
                });
            }
        });
        assert_eq!(
            bridge.sent_count("Login"),
            1,
            "one AMI session serves all requests"
        );
    }
}

fn check_reports_the_remaining_days_of_asterisks_certificate(version: u32) {
    for (days, is_warned) in [(90, false), (5, true)] {
        let certificates = Certificates::valid_for_days(days);
        let (_asterisk, port) = start_asterisk(version, &certificates);
        let trust = format!("tls_pin_sha256 = \"{}\"", certificates.fingerprint);
        let (status, output_text) = check(&certificates, &["--json"], &over_tls(&port, &trust));
        let report: serde_json::Value = serde_json::from_str(&output_text).expect("JSON");
        assert_eq!(status, Some(0), "{report}");
        assert_eq!(
            report["pbxes"][0]["certificate"]["days_left"], days,
            "{report}"
        );
        let warning = format!("pbx main: Asterisk's certificate: {days} days left");
        assert_eq!(output_text.contains(&warning), is_warned, "{output_text}");
    }
}

fn setup_compares_the_configuration_over_tls(version: u32) {
    let certificates = Certificates::new();
    let (_asterisk, port) = start_asterisk(version, &certificates);
    let trust = format!("tls_pin_sha256 = \"{}\"", certificates.fingerprint);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ami-bridge.toml");
    for (queue_name, is_missing) in [("globex-{queue}", false), ("other-{queue}", true)] {
        let text = over_tls(&port, &trust).replace("globex-{queue}", queue_name);
        std::fs::write(&file, text).expect("written");
        let mut setup = bridge_command();
        setup
            .args(["setup", "--yes", "--directory"])
            .arg(folder.path());
        let output = setup.output().expect("the output of ami-bridge");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!text.contains("did not compare"), "{queue_name}: {text}");
        let queues = text.split_once("differs: no organization has the queues ");
        let queues = queues.map(|(_, rest)| rest.lines().next().unwrap_or_default());
        let names_queue = queues.is_some_and(|queues| queues.contains("globex-6001"));
        assert_eq!(names_queue, is_missing, "{queue_name}: {text}");
    }
}

fn check_explains_a_wrong_certificate(version: u32) {
    let certificates = Certificates::new();
    let (_asterisk, port) = start_asterisk(version, &certificates);
    let other = Certificates::new();
    let (ca, other_ca) = (certificates.path("ca.pem"), other.path("ca.pem"));
    for (trust, expected) in [
        (
            format!("tls_pin_sha256 = \"{}\"", other.fingerprint),
            "does not match tls_pin_sha256",
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
        assert_check_fails(&certificates, &over_tls(&port, &trust), expected);
    }
}

fn check_explains_an_expired_certificate_and_a_wrong_port(version: u32) {
    let certificates = Certificates::valid_for_days(-5);
    let (asterisk, port) = start_asterisk(version, &certificates);
    let ca = format!("tls_ca_file = {:?}", certificates.path("ca.pem"));
    assert_check_fails(&certificates, &over_tls(&port, &ca), "reissue it");
    let tls = format!("[pbx.main]\ntls = true\n{ca}");
    let tls_to_plain_port = configuration(asterisk.port).replace("[pbx.main]", &tls);
    assert_check_fails(
        &certificates,
        &tls_to_plain_port,
        "is this the port without TLS?",
    );
    let plain_to_tls_port = configuration(port.address.port());
    let plain_to_tls_port =
        plain_to_tls_port.replace("[pbx.main]", "[pbx.main]\nconnect_timeout = \"1s\"");
    assert_check_fails(
        &certificates,
        &plain_to_tls_port,
        "the AMI's TLS port (which needs tls = true)",
    );
}

/// Certificates created with Asterisk's own instructions, and with a plain `openssl req
/// -x509`.
fn check_explains_outdated_certificates(version: u32) {
    let certificates = Certificates::new();
    let old = include_str!("../data/x509-v1.pem");
    let (_asterisk, port) = start_asterisk_with(version, old, include_str!("../data/x509-v1.key"));
    let ca = certificates.path("ca.pem");
    let trust_authority = format!("tls_ca_file = {ca:?}");
    assert_check_fails(
        &certificates,
        &over_tls(&port, &trust_authority),
        "reissue it with a subjectAltName",
    );

    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let self_signed = params.self_signed(&key).expect("a certificate");
    let file = certificates.path("own.pem");
    std::fs::write(&file, self_signed.pem()).expect("a writable file");
    let (_asterisk, port) = start_asterisk_with(version, &self_signed.pem(), &key.serialize_pem());
    let trust_itself = format!("tls_ca_file = {file:?}");
    assert_check_fails(
        &certificates,
        &over_tls(&port, &trust_itself),
        "pin it with tls_pin_sha256",
    );
}

/// Asserts that `check` fails and that its output contains `expected`.
fn assert_check_fails(certificates: &Certificates, configuration: &str, expected: &str) {
    let (status, output_text) = check(certificates, &[], configuration);
    assert_eq!(status, Some(1), "{output_text}");
    assert!(
        output_text.contains(expected),
        "{expected} is not in {output_text}"
    );
}

/// Runs `ami-bridge check`, and returns its exit status and standard output.
fn check(
    certificates: &Certificates,
    options: &[&str],
    configuration: &str,
) -> (Option<i32>, String) {
    let file = certificates.path("bridge.toml");
    std::fs::write(&file, configuration).expect("a writable file");
    let mut command = bridge_command();
    command
        .arg("check")
        .args(options)
        .arg("--config")
        .arg(&file);
    let output = command.output().expect("the output of ami-bridge");
    let output_text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), output_text)
}

/// Sends a request over TLS.
///
/// # Errors
///
/// Returns an error if the TLS handshake fails.
fn get(bridge: &Bridge, authority: &Certificates) -> std::io::Result<String> {
    let mut stream = connect_tls(bridge.address, &authority.path("ca.pem"))?;
    write!(
        stream,
        "GET {API_PATH}?username=globex&password=globex-password&action=showqueue HTTP/1.1\r\n\
         Host: localhost\r\nConnection: close\r\n\r\n"
    )?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response)
}

fn sighup_loads_a_new_http_certificate(version: u32) {
    let asterisk = Asterisk::start(version);
    let (first, second) = (Certificates::new(), Certificates::valid_for_days(5));
    let (certificate, key) = (first.path("asterisk.pem"), first.path("asterisk.key"));
    let tls = format!("[http]\ntls_certificate = {certificate:?}\ntls_key = {key:?}");
    let bridge = Bridge::start(&configuration(asterisk.port).replace("[http]", &tls));
    let certificate_end = || {
        let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
        let mut lines = metrics.lines();
        let name = "ami_bridge_certificate_end_timestamp_seconds ";
        let end = lines
            .find_map(|line| line.strip_prefix(name))
            .map(str::to_owned);
        end.expect("the certificate's end")
            .parse::<i64>()
            .expect("a number")
    };
    let first_end = certificate_end();
    let warning_count = || {
        bridge
            .log()
            .matches("http.tls_certificate: 5 days left")
            .count()
    };
    // A client that never finishes its handshake does not delay other clients.
    let _idle = TcpStream::connect(bridge.address).expect("a connection");
    let response = get(&bridge, &first).expect("a response");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(get(&bridge, &second).is_err());

    std::fs::write(&certificate, "no certificate").expect("a writable file");
    let log_line = bridge.reload();
    assert_eq!(
        log_line["message"],
        "reload failed; the old configuration stays in use"
    );
    get(&bridge, &first).expect("a response with the old certificate");

    for name in ["asterisk.pem", "asterisk.key"] {
        std::fs::copy(second.path(name), first.path(name)).expect("a writable file");
    }
    assert_eq!(warning_count(), 0);
    bridge.reload();
    eventually("the bridge uses the new certificate", || {
        get(&bridge, &second).ok()
    });
    assert!(get(&bridge, &first).is_err());
    assert_eq!(warning_count(), 1);
    let (days, hour) = (first_end - certificate_end(), 3600);
    assert!((84 * 24 * hour..86 * 24 * hour).contains(&days), "{days} s");
}
