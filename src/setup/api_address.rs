//! The address of the API, as the operator's browser and `curl` need it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tokio_rustls::rustls::pki_types::CertificateDer;

use super::link::address_towards;
use super::shell::{quoted, quoted_path};
use crate::config::HttpSettings;

/// Addresses for documentation, which no machine has. The route to them is the default route.
const ANY_REMOTE: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(192, 0, 2, 1),
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
);

/// The address of the API.
#[derive(Debug)]
pub(super) struct ApiAddress {
    /// The address that the bridge listens on. With port 0, the system chooses the port.
    listen: SocketAddr,
    /// The path of the API.
    path: String,
    /// Whether the board is at `/`.
    has_page: bool,
    tls: Option<Certificate>,
}

/// The certificate of the API.
#[derive(Debug)]
struct Certificate {
    file: PathBuf,
    /// A host name that the certificate is valid for.
    name: Option<String>,
}

impl ApiAddress {
    /// Reads the address from the settings.
    pub(super) fn of(http: &HttpSettings) -> Self {
        let tls = http.tls.as_ref().map(|(files, certificate)| Certificate {
            file: std::path::absolute(&files.certificate).unwrap_or(files.certificate.clone()),
            name: certificate.cert.first().and_then(host_name),
        });
        Self {
            listen: http.listen,
            path: http.path.clone(),
            has_page: http.panel,
            tls,
        }
    }

    /// Returns whether the port is known only when the bridge runs.
    pub(super) fn is_port_unknown(&self) -> bool {
        self.listen.port() == 0
    }

    /// Returns the address of the page, for a browser; `None` if the bridge has no page.
    pub(super) fn page(&self) -> Option<String> {
        let ip = match self.listen.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => address_towards((ANY_REMOTE.0, 0).into()).unwrap_or(self.own_ip()),
            IpAddr::V6(_) => address_towards((ANY_REMOTE.1, 0).into()).unwrap_or(self.own_ip()),
        };
        self.has_page.then(|| format!("{}/", self.origin(ip)))
    }

    /// Returns a `curl` command that works on this machine. `curl` asks for the password, so that
    /// it is in no command line.
    pub(super) fn curl(&self, username: &str) -> String {
        let ip = self.own_ip();
        let mut command = format!("curl -w '\\n' -u {}", quoted(username));
        if let Some(Certificate { file, name }) = &self.tls {
            command += &format!(" --cacert {}", quoted_path(file));
            if let Some(name) = name {
                // The name may belong to another address outside of this machine.
                command += &format!(" --resolve {name}:{}:{}", self.port(), in_brackets(ip));
            }
        }
        let url = format!("{}{}?action=showqueue", self.origin(ip), self.path);
        format!("{command} \\\n    '{url}'")
    }

    /// Returns an address at which this machine reaches the bridge.
    fn own_ip(&self) -> IpAddr {
        match self.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        }
    }

    fn origin(&self, ip: IpAddr) -> String {
        let port = self.port();
        match &self.tls {
            None => format!("http://{}:{port}", in_brackets(ip)),
            Some(Certificate { name: None, .. }) => format!("https://{}:{port}", in_brackets(ip)),
            Some(Certificate {
                name: Some(name), ..
            }) => format!("https://{name}:{port}"),
        }
    }

    fn port(&self) -> String {
        match self.listen.port() {
            0 => "PORT".to_owned(),
            port => port.to_string(),
        }
    }
}

fn in_brackets(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// Returns a host name from the certificate. In a name for a whole domain, this machine's name
/// replaces the asterisk.
fn host_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
    let name = certificate.valid_dns_names().next()?;
    let Some(domain) = name.strip_prefix("*.") else {
        return Some(name.to_owned());
    };
    let machine = fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).ok()?;
    let machine = machine.trim().split('.').next()?.to_ascii_lowercase();
    Some(format!("{machine}.{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(listen: &str, name: Option<&str>) -> ApiAddress {
        ApiAddress {
            listen: listen.parse().expect("an address"),
            path: "/api".to_owned(),
            has_page: true,
            tls: name.map(|name| Certificate {
                file: "/etc/own cert.pem".into(),
                name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            }),
        }
    }

    #[test]
    fn curl_reaches_the_bridge_from_this_machine() {
        for (listen, name, expected) in [
            ("127.0.0.1:8088", None, "'http://127.0.0.1:8088/api?"),
            ("0.0.0.0:8088", None, "'http://127.0.0.1:8088/api?"),
            ("[::]:8088", None, "'http://[::1]:8088/api?"),
            ("192.0.2.7:80", None, "'http://192.0.2.7:80/api?"),
            ("127.0.0.1:0", None, "'http://127.0.0.1:PORT/api?"),
            ("0.0.0.0:1", Some(""), "'https://127.0.0.1:1/api?"),
            ("0.0.0.0:1", Some("pbx.test"), "'https://pbx.test:1/api?"),
            (
                "[::]:1",
                Some("pbx.test"),
                "--cacert '/etc/own cert.pem' --resolve pbx.test:1:[::1]",
            ),
        ] {
            let command = api(listen, name).curl("a b");
            assert!(command.contains(expected), "{command}");
            assert!(command.starts_with("curl -w '\\n' -u 'a b' "), "{command}");
        }
    }

    #[test]
    fn page_has_an_address_that_other_machines_can_use() {
        for (listen, name, expected) in [
            ("127.0.0.1:8088", None, "http://127.0.0.1:8088/"),
            ("[fd00::9]:8088", None, "http://[fd00::9]:8088/"),
            ("0.0.0.0:1", Some("pbx.test"), "https://pbx.test:1/"),
        ] {
            let page = api(listen, name).page();
            assert_eq!(page.as_deref(), Some(expected));
        }
        for listen in ["0.0.0.0:8088", "[::]:8088"] {
            let page = api(listen, None).page().expect("a page");
            assert!(
                !page.contains("//0.0.0.0") && !page.contains("//[::]"),
                "{page}"
            );
        }
        let mut without_page = api("127.0.0.1:1", None);
        without_page.has_page = false;
        assert_eq!(without_page.page(), None);
    }

    #[test]
    fn host_name_is_read_from_the_certificate() {
        for (names, expected) in [
            (&["pbx.test", "other.test"][..], Some("pbx.test")),
            (&["192.0.2.1"], None),
        ] {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let signed = rcgen::generate_simple_self_signed(names).expect("a certificate");
            let name = host_name(signed.cert.der());
            assert_eq!(name.as_deref(), expected);
        }
        let names = vec!["*.example.test".to_owned()];
        let signed = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let name = host_name(signed.cert.der()).expect("a name");
        assert!(
            name.ends_with(".example.test") && !name.starts_with('*'),
            "{name}"
        );
    }
}
