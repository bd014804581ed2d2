//! Addresses, networks and origins of the file. Pure.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::text::odd_character;
use crate::ami::Address;

/// Parses the address of a PBX. The mistakes are explained that a copied URL or text
/// brings along.
pub(super) fn pbx_address(text: &str) -> Result<Address, String> {
    let form = "must be host:port, as \"127.0.0.1:5038\"";
    if let Some((scheme, _)) = text.split_once("://") {
        let tls = ["tls", "ssl", "tcps", "https"].contains(&scheme.to_ascii_lowercase().as_str());
        let also = if tls { ", with tls = true" } else { "" };
        return Err(format!("{form}, without a scheme before it{also}"));
    }
    if let Some(odd) = odd_character(text).or(text.chars().find(|c| c.is_whitespace())) {
        return Err(format!("{form}: it has the character {odd:?}"));
    }
    Address::parse(text)
}

/// A network, or the network of a single address. Clients' addresses are compared in
/// their plain form, so an IPv4 network in IPv6's notation becomes one of IPv4.
pub(super) fn network(item: &str) -> Result<IpNet, String> {
    let wrong = || format!("\"{item}\" is not a network, as \"192.0.2.0/24\", or an address");
    // ipnet takes leading zeros, which others read as octal.
    let address = item.split('/').next().unwrap_or_default();
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let network = match item.contains('/') {
        true => item.parse().map_err(|_| wrong())?,
        false => IpNet::from(address),
    };
    let IpNet::V6(six) = network else {
        return Ok(network);
    };
    let Some(four) = six.addr().to_ipv4_mapped() else {
        return Ok(network);
    };
    let length = six.prefix_len().checked_sub(96);
    let four = length.and_then(|length| Ipv4Net::new(four, length).ok());
    four.map(IpNet::V4).ok_or_else(|| {
        format!(
            "\"{item}\" is more than the IPv4 addresses: write an IPv4 network, as \"10.0.0.0/8\""
        )
    })
}

/// Whether it is an origin as a browser sends it: in lower case, without a path, and
/// without the port that the scheme has anyway.
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
    let port_fits = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| {
            let is_plain = !port.starts_with(['0', '+']);
            is_plain && port.parse::<u16>().is_ok_and(|port| port != default_port)
        });
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte);
    !host.is_empty() && host.bytes().all(fits) && port_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_and_odd_characters_in_an_address_are_explained() {
        for (text, part) in [
            ("127.0.0.1:5038", ""),
            ("[fe80::1%2]:5038", ""),
            ("tcp://127.0.0.1:5038", "without a scheme"),
            ("tls://pbx:5039", "with tls = true"),
            (" 127.0.0.1:5038", "the character ' '"),
            ("127.0.0.1:5038 ", "the character ' '"),
            ("a b:5038", "the character ' '"),
            ("pbx\u{200b}:5038", "the character '\\u{200b}'"),
            ("127.0.0.1", "must be host:port"),
        ] {
            let said = pbx_address(text).err().unwrap_or_default();
            assert_eq!(said.is_empty(), part.is_empty(), "{text}: {said}");
            assert!(said.contains(part), "{text}: {said}");
        }
    }

    #[test]
    fn networks_are_compared_in_their_plain_form() {
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
            let found = network(item).ok().map(|network| network.to_string());
            assert_eq!(found.as_deref(), expected, "{item}");
        }
    }

    #[test]
    fn only_what_a_browser_sends_is_an_origin() {
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
