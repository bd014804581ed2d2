//! Determines the address of a client behind trusted proxies. Does no IO.

use std::net::IpAddr;

use ipnet::IpNet;

/// Returns the client's address. If the peer is a trusted proxy, this is the right-most address
/// in `X-Forwarded-For` that is not a trusted proxy. Otherwise this is the peer's address, and
/// the header is ignored. The search stops at an entry that is not an address.
pub(super) fn client_address<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted: &[IpNet],
) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = peer;
    // The header is split as bytes, because the client controls its left part, which may not be
    // valid text.
    let hops = forwarded
        .rev()
        .flat_map(|header| header.rsplit(|byte| *byte == b','));
    for hop in hops {
        if !is_trusted(&client) {
            break;
        }
        let hop = std::str::from_utf8(hop).ok();
        let Some(address) = hop.and_then(|hop| parse(hop.trim())) else {
            break;
        };
        client = address;
    }
    client
}

/// Parses an address with or without a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let address = hop.parse::<IpAddr>().ok();
    let socket = || hop.parse::<std::net::SocketAddr>().ok().map(|s| s.ip());
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = address.or_else(socket).or_else(bracketed)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_address_is_used_only_if_a_trusted_proxy_has_sent_it() {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "2001:db8::/32"]
            .iter()
            .map(|net| net.parse().expect("a network"))
            .collect();
        for (peer, headers, expected) in [
            ("192.0.2.1", &["203.0.113.9"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            (
                "10.0.0.1",
                &["198.51.100.7, 203.0.113.9, 10.0.0.2"],
                "203.0.113.9",
            ),
            ("10.0.0.1", &["198.51.100.7", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["forged, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9, garbage"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("2001:db8::1", &["[2001:db9::1]:80"], "2001:db9::1"),
            ("10.0.0.1", &["10.0.0.3"], "10.0.0.3"),
        ] {
            let peer = peer.parse().expect("an address");
            let headers = headers.iter().map(|header| header.as_bytes());
            let client = client_address(peer, headers, &trusted);
            assert_eq!(client.to_string(), expected);
        }
        let peer = "10.0.0.1".parse().expect("an address");
        let client = client_address(peer, [&b"\xff, 203.0.113.9"[..]].into_iter(), &trusted);
        assert_eq!(client.to_string(), "203.0.113.9");
    }
}
