//! Chooses the ports that the bridge listens on.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::questions::say;
use crate::terminal::wrapped;

/// The default port of the API. Asterisk's own HTTP server has the same default.
const API_PORT: u16 = 8088;

/// The default port for operations.
const ADMIN_PORT: u16 = 9088;

/// How many ports are tried. The last one is used even if it is not free.
const TRIES: u16 = 10;

/// Returns the address for the API: the operator's, or else the default or the next one that is
/// free. A free port replaces port 0, so that the address stays the same.
pub(super) fn api_address(given: Option<SocketAddr>) -> SocketAddr {
    if let Some(given) = given {
        let bound = (given.port() == 0).then(|| TcpListener::bind(given).ok()?.local_addr().ok());
        return bound.flatten().unwrap_or(given);
    }
    let address = first_free(API_PORT);
    if address.port() != API_PORT {
        say(&wrapped(
            &format!(
                "Another program uses port {API_PORT}, so the bridge will listen on {address}. \
                 Another address: --listen"
            ),
            "",
        ));
    }
    address
}

/// Returns the address for operations, or `None` if the default is free.
pub(super) fn admin_address() -> Option<SocketAddr> {
    let address = first_free(ADMIN_PORT);
    (address.port() != ADMIN_PORT).then_some(address)
}

fn first_free(port: u16) -> SocketAddr {
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut ports = port..port + TRIES;
    let free = ports.find(|port| TcpListener::bind(address(*port)).is_ok());
    address(free.unwrap_or(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_free_skips_a_port_in_use() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        let used = listener.local_addr().expect("an address").port();
        assert_ne!(first_free(used).port(), used);
    }

    #[test]
    fn api_address_has_a_port_and_is_otherwise_the_given_one() {
        let address = |text: &str| api_address(Some(text.parse().expect("an address")));
        assert_eq!(address("192.0.2.77:8080").to_string(), "192.0.2.77:8080");
        let free = address("127.0.0.1:0");
        assert!(free.ip().is_loopback() && free.port() != 0, "{free}");
    }
}
