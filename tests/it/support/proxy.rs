//! A TCP proxy between the bridge and Asterisk that simulates network faults.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How the proxy treats the bytes that it receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// Forwards them.
    Normal,
    /// Forwards each byte in its own write.
    SingleBytes,
    /// Forwards them after 50 ms.
    Slow,
    /// Discards them and leaves all connections open, as if the cable were unplugged.
    BlackHole,
}

/// A proxy that runs until the process exits.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    network: Mutex<Network>,
    /// Both ends of every connection.
    connections: Mutex<Vec<TcpStream>>,
    /// The number of bytes that were forwarded from Asterisk to the bridge.
    forwarded: Arc<AtomicU64>,
    /// Whether to truncate the next bytes from Asterisk.
    truncate: AtomicBool,
}

impl Proxy {
    pub(crate) fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let shared = Arc::new(Shared {
            network: Mutex::new(Network::Normal),
            connections: Mutex::default(),
            forwarded: Arc::default(),
            truncate: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // If Asterisk does not listen, the proxy closes the connection of the bridge.
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else {
                    continue;
                };
                for stream in [&client, &server] {
                    let _ = stream.set_nodelay(true);
                    let copy = stream.try_clone().expect("a copy");
                    accepting
                        .connections
                        .lock()
                        .expect("connections")
                        .push(copy);
                }
                let (from, to) = (&client, &server);
                forward(&accepting, from, to, false);
                forward(&accepting, to, from, true);
            }
        });
        Self { port, shared }
    }

    pub(crate) fn set_network(&self, network: Network) {
        *self.shared.network.lock().expect("network") = network;
    }

    /// The counter of the bytes that were forwarded from Asterisk to the bridge.
    pub(crate) fn forwarded_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.shared.forwarded)
    }

    /// Closes all connections.
    pub(crate) fn close_connections(&self) {
        for stream in self
            .shared
            .connections
            .lock()
            .expect("connections")
            .drain(..)
        {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Forwards only half of the next bytes from Asterisk, then closes the connection.
    pub(crate) fn truncate_next_read(&self) {
        self.shared.truncate.store(true, Ordering::SeqCst);
    }
}

fn forward(shared: &Arc<Shared>, from: &TcpStream, to: &TcpStream, is_from_asterisk: bool) {
    let shared = Arc::clone(shared);
    let mut from = from.try_clone().expect("a copy");
    let mut to = to.try_clone().expect("a copy");
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let mut bytes = &buffer[..count];
            let cut = is_from_asterisk && shared.truncate.swap(false, Ordering::SeqCst);
            if cut {
                bytes = &bytes[..count / 2];
            }
            let network = *shared.network.lock().expect("network");
            let written = match network {
                Network::Normal => to.write_all(bytes),
                Network::SingleBytes => bytes.iter().try_for_each(|byte| to.write_all(&[*byte])),
                Network::Slow => {
                    // The delay is part of the test.
                    std::thread::sleep(Duration::from_millis(50));
                    to.write_all(bytes)
                }
                Network::BlackHole => continue,
            };
            if is_from_asterisk {
                let count = bytes.len() as u64;
                shared.forwarded.fetch_add(count, Ordering::SeqCst);
            }
            if written.is_err() || cut {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}
