//! An AMI proxy between the bridge and Asterisk. The proxy replaces Asterisk's greeting with
//! its own, and forwards everything else unchanged.

use std::io::{BufRead, BufReader, Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::spawn;

use crate::support::{Asterisk, Bridge, configuration, on_every_pbx};

on_every_pbx!(bridge_works_through_an_ami_proxy_with_its_own_greeting);

/// Starts the proxy and returns its port.
fn start_proxy(asterisk_port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("a local address").port();
    spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(("127.0.0.1", asterisk_port)) else {
                continue;
            };
            let mut from_server = BufReader::new(server.try_clone().expect("a cloned stream"));
            from_server
                .read_line(&mut String::new())
                .expect("a greeting");
            let mut to_client = client.try_clone().expect("a cloned stream");
            let greeting = b"Asterisk Call Manager Proxy/1.28.2\r\n";
            to_client.write_all(greeting).expect("a writable stream");
            spawn(move || forward(&mut from_server, to_client));
            let mut from_client = client;
            spawn(move || forward(&mut from_client, server));
        }
    });
    port
}

fn forward(from: &mut impl Read, mut to: TcpStream) {
    let _ = copy(from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

fn bridge_works_through_an_ami_proxy_with_its_own_greeting(version: u32) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&configuration(start_proxy(asterisk.port)));
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    let state = bridge.acme_ok("action=showstate&agent=1001");
    assert_eq!(
        (&state["state"], &state["reason"]),
        (&"paused".into(), &"Lunch".into())
    );
    let member = asterisk.ami().member("acme-6001", "Local/1001@acme-agents");
    assert_eq!(member.expect("a member")["PausedReason"], "Lunch");
    assert!(bridge.log().contains("the AMI is reached through a proxy"));
}
