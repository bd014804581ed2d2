//! Addresses, networks and origins of the file. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::text::odd_character;

/// Checks `host:port` of a PBX; the mistake says what would be right.
pub(super) fn check_address(text: &str) -> Result<(), String> {
    let form = "must be host:port, as \"127.0.0.1:5038\"";
    if let Some((scheme, _)) = text.split_once("://") {
        let tls = ["tls", "ssl", "tcps", "https"].contains(&scheme.to_ascii_lowercase().as_str());
        let also = if tls { ", with tls = true" } else { "" };
        return Err(format!("{form}, without a scheme before it{also}"));
    }
    if let Some(odd) = odd_character(text).or(text.chars().find(|c| c.is_whitespace())) {
        return Err(format!("{form}: it has the character {odd:?}"));
    }
    if text.parse::<Ipv6Addr>().is_ok() && !text.starts_with('[') {
        return Err(
            "must be host:port, with an IPv6 address between brackets, as \"[::1]:5038\"".into(),
        );
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(form.to_owned());
    };
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0);
    if !is_port || host.is_empty() {
        return Err(form.to_owned());
    }
    check_host(host).map_err(|what| format!("{form}: {what}"))
}

fn check_host(host: &str) -> Result<(), String> {
    if let Some(inner) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        let (address, scope) = inner.split_once('%').unwrap_or((inner, "0"));
        return match (address.parse::<Ipv6Addr>(), scope.parse::<u32>()) {
            (Ok(_), Ok(_)) => Ok(()),
            (Ok(_), Err(_)) => Err("after % there must be the number of an interface".into()),
            (Err(_), _) => Err("there is no IPv6 address between the brackets".into()),
        };
    }
    let fits = |c: &char| c.is_ascii_alphanumeric() || ".-_".contains(*c);
    if let Some(odd) = host.chars().find(|c| !fits(c)) {
        return Err(format!("a host name does not have {odd:?}"));
    }
    let is_number = host
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number && host.parse::<Ipv4Addr>().is_err() {
        return Err("that is no IPv4 address".into());
    }
    Ok(())
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
    fn addresses_are_taken_or_refused_with_the_reason() {
        for (text, part) in [
            ("127.0.0.1:5038", ""),
            ("[::1]:5038", ""),
            ("[fe80::1%2]:5038", ""),
            ("PBX-1.example_net.:5038", ""),
            ("tcp://127.0.0.1:5038", "without a scheme"),
            ("tls://pbx:5039", "with tls = true"),
            (" 127.0.0.1:5038", "the character ' '"),
            ("127.0.0.1:5038 ", "the character ' '"),
            ("a b:5038", "the character ' '"),
            ("pbx\u{200b}:5038", "the character '\\u{200b}'"),
            ("127.0.0.1：5038", "must be host:port"),
            ("ｐbx:5038", "does not have 'ｐ'"),
            ("::1:5038", "between brackets"),
            ("::1", "between brackets"),
            ("[::g]:5038", "no IPv6 address"),
            ("[fe80::1%eth0]:5038", "the number of an interface"),
            ("127.0.0.256:5038", "no IPv4 address"),
            ("127.1:5038", "no IPv4 address"),
            ("127.0.0.1", "must be host:port"),
            ("127.0.0.1:", "must be host:port"),
            ("127.0.0.1:0", "must be host:port"),
            ("127.0.0.1:+5038", "must be host:port"),
            ("127.0.0.1:65536", "must be host:port"),
            ("127.0.0.1:5038/", "must be host:port"),
            (":5038", "must be host:port"),
            ("*:5038", "does not have '*'"),
            ("user@pbx:5038", "does not have '@'"),
            ("", "must be host:port"),
        ] {
            let said = check_address(text).err().unwrap_or_default();
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
