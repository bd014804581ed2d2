//! Connection storms. Thousands of panels that reconnect at the same time, stalled handshakes
//! and slow logins do not delay other clients.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use ami_bridge::organizations::PasswordDigest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{
    ACME, Asterisk, Bridge, SIMULATED, configuration, connect_tls, http_tls_section,
};

/// Opens an event stream and waits for its snapshot.
async fn open_stream(address: std::net::SocketAddr) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let (username, password) = (ACME.username, ACME.password);
    let target = format!("/events?username={username}&password={password}");
    let head = format!("GET {target} HTTP/1.1\r\nHost: bridge\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut response = Vec::new();
    while !String::from_utf8_lossy(&response).contains("event: snapshot") {
        if stream.read_buf(&mut response).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(stream)
}

/// Returns the sample configuration with an Argon2 password hash, and with a log level that
/// keeps the log small.
fn hashed_configuration(asterisk: &Asterisk) -> String {
    let hash = PasswordDigest::of("acme-password").hash().expect("a hash");
    configuration(asterisk.port)
        .replace("info,ami_bridge=trace", "info")
        .replace(
            "password = \"acme-password\"",
            &format!("password_hash = \"{hash}\""),
        )
}

const PANELS: usize = 3000;

#[test]
fn three_thousand_simultaneous_panels_get_their_snapshots_within_10_seconds() {
    // The bridge and the test each need a descriptor per panel.
    let limit = rlimit::increase_nofile_limit(u64::MAX).expect("a raised limit");
    assert!(
        limit > PANELS as u64 + 500,
        "the limit of {limit} descriptors is too low"
    );
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&hashed_configuration(&asterisk));
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    let took = runtime.block_on(async {
        let begun = Instant::now();
        let mut panels = JoinSet::new();
        for _ in 0..PANELS {
            panels.spawn(open_stream(bridge.address));
        }
        let streams = panels.join_all().await;
        let failed = streams.iter().filter(|stream| stream.is_err()).count();
        assert_eq!(failed, 0);
        begun.elapsed()
    });
    println!("{PANELS} simultaneous panels got their snapshots after {took:?}");
    // If the bridge's accept queue is full, the client's kernel retries after 1, 3, 7 and
    // 15 s.
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn stalled_handshakes_do_not_delay_other_clients() {
    let asterisk = Asterisk::start(SIMULATED);
    let folder = tempfile::tempdir().expect("a folder");
    let http = http_tls_section(folder.path(), |_| ());
    let bridge = Bridge::start(&hashed_configuration(&asterisk).replace("[http]", &http));
    let stalled: Vec<_> = (0..300)
        .map(|number| {
            let mut stream = std::net::TcpStream::connect(bridge.address).expect("a connection");
            // Sends nothing, or the first bytes of a TLS handshake.
            let sent = &b"\x16\x03\x01\x02\x00\x01"[..number % 7];
            stream.write_all(sent).expect("written");
            stream
        })
        .collect();
    let begun = Instant::now();
    let certificate = folder.path().join("own.pem");
    let mut stream = connect_tls(bridge.address, &certificate).expect("a connection");
    let head = b"GET /openapi.json HTTP/1.0\r\n\r\n";
    stream.write_all(head).expect("written");
    let mut response = [0; 12];
    stream.read_exact(&mut response).expect("a response");
    assert_eq!(&response, b"HTTP/1.0 200");
    let took = begun.elapsed();
    println!(
        "with {} stalled handshakes, another client got its response after {took:?}",
        stalled.len()
    );
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn slow_logins_do_not_delay_other_clients() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&hashed_configuration(&asterisk));
    // After this request, the bridge caches the result of the password check.
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let slowest = std::thread::scope(|scope| {
        let logins: Vec<_> = (0..60)
            .map(|number| {
                let query = format!("username=u{number}&password=x&action=showqueue");
                scope.spawn({
                    let bridge = &bridge;
                    move || bridge.get(&query).status
                })
            })
            .collect();
        let mut slowest = Duration::ZERO;
        while logins.iter().any(|login| !login.is_finished()) {
            let begun = Instant::now();
            bridge.acme_ok("action=pause&agent=1001");
            slowest = slowest.max(begun.elapsed());
        }
        for login in logins {
            assert_eq!(login.join().expect("no panic in a login thread"), 401);
        }
        slowest
    });
    println!("during 60 password checks, the slowest change took {slowest:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}
