//! A TCP proxy between the bridge and Asterisk, that does what networks do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the proxy does with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// Passes them on.
    Normal,
    /// Passes them on one at a time.
    SingleBytes,
    /// Passes them on late.
    Slow,
    /// Takes them and passes none on, with all connections connections: a pulled cable.
    BlackHole,
}

/// Ends with the test.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    network: Mutex<Network>,
    /// Both ends of every connection.
    connections: Mutex<Vec<TcpStream>>,
    /// Bytes of Asterisk's that were passed on.
    forwarded: Arc<AtomicU64>,
    /// The answer of Asterisk that is under way is cut in its middle.
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
                // An Asterisk that is not there is a connection that ends.
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
                pass(&accepting, from, to, false);
                pass(&accepting, to, from, true);
            }
        });
        Self { port, shared }
    }

    pub(crate) fn set_network(&self, network: Network) {
        *self.shared.network.lock().expect("network") = network;
    }

    /// Counts the bytes of Asterisk's that were passed on.
    pub(crate) fn forwarded_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.shared.forwarded)
    }

    /// Ends every connection now.
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

    /// Passes on half of what Asterisk sends next, and ends the connection.
    pub(crate) fn truncate_next_read(&self) {
        self.shared.truncate.store(true, Ordering::SeqCst);
    }
}

fn pass(shared: &Arc<Shared>, from: &TcpStream, to: &TcpStream, is_answer: bool) {
    let shared = Arc::clone(shared);
    let mut from = from.try_clone().expect("a copy");
    let mut to = to.try_clone().expect("a copy");
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let mut bytes = &buffer[..count];
            let cut = is_answer && shared.truncate.swap(false, Ordering::SeqCst);
            if cut {
                bytes = &bytes[..count / 2];
            }
            let network = *shared.network.lock().expect("network");
            let passed = match network {
                Network::Normal => to.write_all(bytes),
                Network::SingleBytes => bytes.iter().try_for_each(|byte| to.write_all(&[*byte])),
                Network::Slow => {
                    // The delay is what is tested.
                    std::thread::sleep(Duration::from_millis(50));
                    to.write_all(bytes)
                }
                Network::BlackHole => continue,
            };
            if is_answer {
                let count = bytes.len() as u64;
                shared.forwarded.fetch_add(count, Ordering::SeqCst);
            }
            if passed.is_err() || cut {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}
