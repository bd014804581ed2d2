//! Ports for those who have to be told theirs beforehand.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// A port of the system's choice that stays with the test, whoever listens there and
/// ends in between: a socket that is bound and never listens keeps it.
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
            address: address.expect("of the internet"),
            _socket: socket,
        }
    }
}
