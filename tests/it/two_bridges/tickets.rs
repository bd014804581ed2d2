//! Tickets behind HAProxy: each must reach the bridge that issued it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use super::{CLIENTS, Setup, address};
use crate::support::SIMULATED;

/// Sends a request from the client's address through HAProxy.
fn send(setup: &Setup, client: usize, method_and_target: &str) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let source = SocketAddr::new(address(client), 0);
    socket.bind(&source.into()).expect("a local address");
    let haproxy = setup.haproxy.address.into();
    socket.connect(&haproxy).expect("HAProxy listens");
    let mut stream = TcpStream::from(socket);
    let head = format!(
        "{method_and_target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("written");
    stream
}

#[test]
fn ticket_reaches_the_bridge_that_issued_it() {
    let setup = Setup::start(SIMULATED, "info");
    let credentials = "username=acme%40example.com&password=acme-password";
    for client in 0..CLIENTS {
        let mut response = String::new();
        send(
            &setup,
            client,
            &format!("POST /events/ticket?{credentials}"),
        )
        .read_to_string(&mut response)
        .expect("a response");
        let body = response.split("\r\n\r\n").nth(1).expect("a body");
        let body: Value = serde_json::from_str(body).expect("JSON");
        let ticket = body["ticket"].as_str().expect("a ticket");
        let stream = send(&setup, client, &format!("GET /events?ticket={ticket}"));
        let mut status = String::new();
        let read = BufReader::new(stream).read_line(&mut status);
        read.expect("a response");
        assert_eq!(status, "HTTP/1.1 200 OK\r\n", "client {client}");
    }
    for number in [0, 1] {
        let log = setup.bridge(number).log();
        let issued = log.matches("\"action\":\"ticket\"").count();
        assert!((1..CLIENTS).contains(&issued), "bridge {number}: {issued}");
    }
}
