//! Ports for programs that must know their port before they start.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// A free port that no other program takes while the value exists, even if the program
/// that listens on it restarts. A socket that is bound but never listens reserves it.
pub(crate) struct ReservedPort {
    pub(crate) address: SocketAddr,
    _socket: Socket,
}

impl ReservedPort {
    pub(crate) fn reserve() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("a socket");
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(&any.into()).expect("a port");
        let address = socket.local_addr().expect("bound").as_socket();
        Self {
            address: address.expect("an internet address"),
            _socket: socket,
        }
    }
}
