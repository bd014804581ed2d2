//! Checks PBX addresses, networks and origins.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::text::invisible_character;
use crate::ami::Address;
use crate::config::mistake::Mistakes;

/// Parses a PBX's address. Two common mistakes have their own error messages: a scheme, and
/// invisible characters from copied text.
///
/// # Errors
/// Returns a message that describes a valid address.
pub(super) fn pbx_address(text: &str) -> Result<Address, String> {
    let expected_form = "must be host:port, such as \"127.0.0.1:5038\"";
    if let Some((scheme, _)) = text.split_once("://") {
        let is_tls =
            ["tls", "ssl", "tcps", "https"].contains(&scheme.to_ascii_lowercase().as_str());
        let hint = if is_tls {
            "; for TLS set tls = true"
        } else {
            ""
        };
        return Err(format!("{expected_form}, without a scheme{hint}"));
    }
    if let Some(character) = invisible_character(text).or(text.chars().find(|c| c.is_whitespace()))
    {
        return Err(format!(
            "{expected_form}: remove the character {character:?}"
        ));
    }
    Address::parse(text)
}

/// Parses a list of networks. Reports invalid items as mistakes for `key`.
pub(super) fn networks(key: &str, items: &[String], mistakes: &mut Mistakes) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for item in items {
        networks.extend(mistakes.ok_or_add(key, network(item)));
    }
    networks
}

/// Parses a network, or a single address. Converts an IPv4 network in IPv6 notation
/// (`::ffff:10.0.0.0/104`) to an IPv4 network, since client addresses are compared in that
/// form.
fn network(item: &str) -> Result<IpNet, String> {
    let invalid =
        || format!("\"{item}\" must be an IP address or a network, such as \"192.0.2.0/24\"");
    // ipnet accepts leading zeros, which other programs read as octal. `IpAddr` refuses them.
    let address = item.split('/').next().unwrap_or_default();
    let address: IpAddr = address.parse().map_err(|_| invalid())?;
    let network = match item.contains('/') {
        true => item.parse().map_err(|_| invalid())?,
        false => IpNet::from(address),
    };
    let IpNet::V6(v6) = network else {
        return Ok(network);
    };
    let Some(v4) = v6.addr().to_ipv4_mapped() else {
        return Ok(network);
    };
    let prefix_len = v6.prefix_len().checked_sub(96);
    let v4 = prefix_len.and_then(|length| Ipv4Net::new(v4, length).ok());
    v4.map(IpNet::V4).ok_or_else(|| {
        format!(
            "\"{item}\" covers more than the IPv4-mapped range: write an IPv4 network, such as \
             \"10.0.0.0/8\""
        )
    })
}

/// Returns true if the text is an origin in the form that browsers send: lower case, without a
/// path, and without the scheme's default port.
pub(super) fn is_origin(text: &str) -> bool {
    let (rest, default_port) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, 443),
        (None, Some(rest)) => (rest, 80),
        (None, None) => return false,
    };
    let (host, port) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((inner, rest)) if inner.parse::<Ipv6Addr>().is_ok() => (inner, rest),
        Some(_) => return false,
        None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
    };
    let is_port = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| {
            let is_plain_number = !port.starts_with(['0', '+']);
            is_plain_number && port.parse::<u16>().is_ok_and(|port| port != default_port)
        });
    let is_allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte);
    !host.is_empty() && host.bytes().all(is_allowed) && is_port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pbx_address_error_points_out_a_scheme_or_an_invisible_character() {
        for (text, expected) in [
            ("127.0.0.1:5038", ""),
            ("[fe80::1%2]:5038", ""),
            ("tcp://127.0.0.1:5038", "without a scheme"),
            ("tls://pbx:5039", "set tls = true"),
            (" 127.0.0.1:5038", "the character ' '"),
            ("127.0.0.1:5038 ", "the character ' '"),
            ("a b:5038", "the character ' '"),
            ("pbx\u{200b}:5038", "the character '\\u{200b}'"),
            ("127.0.0.1", "must be host:port"),
        ] {
            let error = pbx_address(text).err().unwrap_or_default();
            assert_eq!(error.is_empty(), expected.is_empty(), "{text}: {error}");
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn network_converts_mapped_ipv4_networks_to_ipv4() {
        for (item, expected) in [
            ("10.0.0.0/8", Some("10.0.0.0/8")),
            ("192.0.2.7", Some("192.0.2.7/32")),
            ("2001:db8::/32", Some("2001:db8::/32")),
            ("::ffff:10.0.0.0/104", Some("10.0.0.0/8")),
            ("::ffff:0:0/96", Some("0.0.0.0/0")),
            ("::FFFF:192.0.2.7", Some("192.0.2.7/32")),
            ("::ffff:10.0.0.0/8", None),
            ("10.0.0.0/33", None),
            ("10.0.0.0/", None),
            ("010.0.0.0/8", None),
            ("10.0.0.0 /8", None),
            (" 10.0.0.0/8", None),
            ("10.0.0", None),
            ("fe80::1%eth0", None),
            ("", None),
        ] {
            let parsed = network(item).ok().map(|network| network.to_string());
            assert_eq!(parsed.as_deref(), expected, "{item}");
        }
    }

    #[test]
    fn is_origin_accepts_only_the_form_that_browsers_send() {
        for (text, expected) in [
            ("https://panel.example.com", true),
            ("https://panel.example.com:8443", true),
            ("http://127.0.0.1:8088", true),
            ("http://[::1]:8088", true),
            ("https://panel.example.com:443", false),
            ("http://panel.example.com:80", false),
            ("https://panel.example.com:443443", false),
            ("https://panel.example.com:08", false),
            ("https://panel.example.com:", false),
            ("https://a:b:c", false),
            ("https://Panel.example.com", false),
            ("https://panel.example.com/", false),
            ("https://pänel.example.com", false),
            ("HTTPS://panel.example.com", false),
            ("https://", false),
            ("https://[x]", false),
            ("*", false),
            ("", false),
        ] {
            assert_eq!(is_origin(text), expected, "{text}");
        }
    }
}
