//! The address of a PBX's AMI port: `host:port`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The error message for an address that is not in the format `host:port`.
const FORMAT_ERROR: &str = "must be host:port, such as \"127.0.0.1:5038\"";

/// A host name or IP address, and a port. An IPv6 address is in brackets, and may have
/// a numeric scope (`[fe80::1%2]:5038`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: Box<str>,
    /// Position of the colon before the port.
    colon: usize,
    port: u16,
}

impl Address {
    /// Parses `host:port`. Does not resolve the host name.
    ///
    /// # Errors
    /// Returns an error message that describes the problem and the expected format.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.parse::<Ipv6Addr>().is_ok() {
            let error =
                "must be host:port, with an IPv6 address in brackets, such as \"[::1]:5038\"";
            return Err(error.to_owned());
        }
        let (host, port_text) = text.rsplit_once(':').ok_or(FORMAT_ERROR)?;
        // Checks the digits, because parsing as `u16` would also accept a plus sign.
        let is_number = port_text.bytes().all(|byte| byte.is_ascii_digit());
        match port_text.parse() {
            Ok(port @ 1..) if is_number && !host.is_empty() => {
                check_host(host).map_err(|error| format!("{FORMAT_ERROR}: {error}"))?;
                Ok(Self {
                    text: text.into(),
                    colon: host.len(),
                    port,
                })
            }
            _ => Err(FORMAT_ERROR.to_owned()),
        }
    }

    /// Returns the parsed text: `host:port`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the host name or IP address. An IPv6 address has no brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = &self.text[..self.colon];
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Returns whether the host is `localhost` or a loopback address. Traffic to such a host
    /// never leaves this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let address: Result<IpAddr, _> = host.parse();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    }

    /// Returns whether both addresses obviously refer to the same port of the same host.
    /// Compares host names ignoring case, and treats `localhost`, `127.0.0.1` and `::1` as
    /// the same host. Does not resolve host names.
    #[must_use]
    pub fn is_same_endpoint(&self, other: &Self) -> bool {
        let is_local = |address: &Self| {
            let names = ["localhost", "127.0.0.1", "::1"];
            names
                .iter()
                .any(|name| address.host().eq_ignore_ascii_case(name))
        };
        self.port == other.port
            && (self.host().eq_ignore_ascii_case(other.host())
                || (is_local(self) && is_local(other)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn check_host(host: &str) -> Result<(), String> {
    if let Some(inner) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        let (address, scope) = inner.split_once('%').unwrap_or((inner, "0"));
        return match (address.parse::<Ipv6Addr>(), scope.parse::<u32>()) {
            (Ok(_), Ok(_)) => Ok(()),
            (Ok(_), Err(_)) => {
                Err("the text after % must be the number of a network interface".into())
            }
            (Err(_), _) => Err("the brackets do not contain an IPv6 address".into()),
        };
    }
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || ".-_".contains(*c);
    if let Some(invalid) = host.chars().find(|c| !is_allowed(c)) {
        return Err(format!("a host name can't contain {invalid:?}"));
    }
    let looks_like_ipv4 = host
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if looks_like_ipv4 && host.parse::<Ipv4Addr>().is_err() {
        return Err("the host looks like an IPv4 address but is not a valid one".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).expect(text)
    }

    #[test]
    fn parse_accepts_host_and_port() {
        for (text, host) in [
            ("127.0.0.1:5038", "127.0.0.1"),
            ("[::1]:5038", "::1"),
            ("[fe80::1%2]:5038", "fe80::1%2"),
            ("PBX-1.example_net.:5038", "PBX-1.example_net."),
        ] {
            assert_eq!(address(text).as_str(), text);
            assert_eq!(address(text).host(), host);
        }
    }

    #[test]
    fn parse_error_describes_the_problem() {
        for (text, expected) in [
            ("127.0.0.1：5038", "must be host:port"),
            ("ｐbx:5038", "can't contain 'ｐ'"),
            ("::1:5038", "in brackets"),
            ("::1", "in brackets"),
            ("[::g]:5038", "do not contain an IPv6 address"),
            ("[fe80::1%eth0]:5038", "the number of a network interface"),
            ("127.0.0.256:5038", "looks like an IPv4 address"),
            ("127.1:5038", "looks like an IPv4 address"),
            ("127.0.0.1", "must be host:port"),
            ("127.0.0.1:", "must be host:port"),
            ("127.0.0.1:0", "must be host:port"),
            ("127.0.0.1:+5038", "must be host:port"),
            ("127.0.0.1:65536", "must be host:port"),
            ("127.0.0.1:5038/", "must be host:port"),
            (" 127.0.0.1:5038", "can't contain ' '"),
            (":5038", "must be host:port"),
            ("*:5038", "can't contain '*'"),
            ("user@pbx:5038", "can't contain '@'"),
            ("", "must be host:port"),
        ] {
            let error = Address::parse(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn is_loopback_recognizes_names_and_addresses() {
        for (text, expected) in [
            ("127.0.0.1:5038", true),
            ("127.0.0.2:5038", true),
            ("[::1]:5038", true),
            ("LocalHost:5038", true),
            ("192.0.2.1:5038", false),
            ("localhost.example.com:5038", false),
        ] {
            assert_eq!(address(text).is_loopback(), expected, "{text}");
        }
    }

    #[test]
    fn is_same_endpoint_recognizes_different_spellings() {
        for (a, b, expected) in [
            ("localhost:5038", "127.0.0.1:5038", true),
            ("[::1]:5038", "LOCALHOST:5038", true),
            ("PBX.example.com:5038", "pbx.example.com:5038", true),
            ("127.0.0.1:5038", "127.0.0.1:5039", false),
            ("127.0.0.1:5038", "127.0.0.2:5038", false),
            ("a.example.com:5038", "b.example.com:5038", false),
        ] {
            let same = address(a).is_same_endpoint(&address(b));
            assert_eq!(same, expected, "{a} and {b}");
        }
    }
}
