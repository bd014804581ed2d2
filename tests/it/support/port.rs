//! Reserves ports for programs that must know their port before they start.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// A port that stays reserved as long as this value exists, even while the program that
/// listens on the port restarts. A socket that is bound but never listens reserves the port.
pub(crate) struct ReservedPort {
    pub(crate) address: SocketAddr,
    _socket: Socket,
}

impl ReservedPort {
    pub(crate) fn reserve() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("a socket");
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(&any_port.into()).expect("a port");
        let address = socket.local_addr().expect("a bound socket").as_socket();
        Self {
            address: address.expect("an internet address"),
            _socket: socket,
        }
    }
}
