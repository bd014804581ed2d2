//! A TCP proxy between the bridge and Asterisk that can simulate network faults.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Gate;

/// The condition of the simulated network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// The proxy forwards all bytes immediately.
    Normal,
    /// The proxy forwards each byte with a separate write.
    SingleBytes,
    /// The proxy forwards bytes after 50 ms.
    Slow,
    /// The proxy discards all bytes but keeps connections open, as if a cable were unplugged.
    BlackHole,
}

/// A running proxy. Its threads run until the process exits.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    network: Mutex<Network>,
    /// Both sockets of every forwarded connection.
    connections: Mutex<Vec<TcpStream>>,
    /// The number of bytes forwarded from Asterisk to the bridge.
    forwarded: Arc<AtomicU64>,
    /// Whether to truncate the next bytes that Asterisk sends.
    truncate: AtomicBool,
    gate: Gate,
}

impl Proxy {
    pub(crate) fn start(pbx_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a bound socket").port();
        let shared = Arc::new(Shared {
            network: Mutex::new(Network::Normal),
            connections: Mutex::default(),
            forwarded: Arc::default(),
            truncate: AtomicBool::new(false),
            gate: Gate::default(),
        });
        let accept_shared = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // If Asterisk does not listen, the proxy closes the bridge's connection.
                let Ok(server) = TcpStream::connect(("127.0.0.1", pbx_port)) else {
                    continue;
                };
                for stream in [&client, &server] {
                    let _ = stream.set_nodelay(true);
                    let copy = stream.try_clone().expect("a cloned socket");
                    accept_shared
                        .connections
                        .lock()
                        .expect("an unpoisoned lock")
                        .push(copy);
                }
                forward(&accept_shared, &client, &server, false);
                forward(&accept_shared, &server, &client, true);
            }
        });
        Self { port, shared }
    }

    pub(crate) fn set_network(&self, network: Network) {
        *self.shared.network.lock().expect("an unpoisoned lock") = network;
    }

    /// Returns the counter of bytes forwarded from Asterisk to the bridge.
    pub(crate) fn forwarded_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.shared.forwarded)
    }

    /// Closes all forwarded connections.
    pub(crate) fn close_connections(&self) {
        for stream in self
            .shared
            .connections
            .lock()
            .expect("an unpoisoned lock")
            .drain(..)
        {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Returns the gate, through which all forwarded bytes pass.
    pub(crate) fn gate(&self) -> &Gate {
        &self.shared.gate
    }

    /// Makes the proxy forward only half of the next bytes from Asterisk, then close that
    /// connection.
    pub(crate) fn truncate_next_read(&self) {
        self.shared.truncate.store(true, Ordering::SeqCst);
    }
}

fn forward(shared: &Arc<Shared>, from: &TcpStream, to: &TcpStream, is_from_asterisk: bool) {
    let shared = Arc::clone(shared);
    let mut from = from.try_clone().expect("a cloned socket");
    let mut to = to.try_clone().expect("a cloned socket");
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let mut bytes = &buffer[..count];
            if !shared.gate.pass(bytes, is_from_asterisk) {
                break;
            }
            let truncates = is_from_asterisk && shared.truncate.swap(false, Ordering::SeqCst);
            if truncates {
                bytes = &bytes[..count / 2];
            }
            let network = *shared.network.lock().expect("an unpoisoned lock");
            let written = match network {
                Network::Normal => to.write_all(bytes),
                Network::SingleBytes => bytes.iter().try_for_each(|byte| to.write_all(&[*byte])),
                Network::Slow => {
                    // This delay is the simulated latency.
                    std::thread::sleep(Duration::from_millis(50));
                    to.write_all(bytes)
                }
                Network::BlackHole => continue,
            };
            if is_from_asterisk {
                let count = bytes.len() as u64;
                shared.forwarded.fetch_add(count, Ordering::SeqCst);
            }
            if written.is_err() || truncates {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}
