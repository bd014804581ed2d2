//! An AMI proxy that checks how the bridge spells queue names.
//!
//! Asterisk ignores case when it looks up a queue in memory, but not when it looks up a
//! realtime queue in its database. If an action spells the name of a realtime queue with
//! different case, Asterisk drops the queue's dynamic members. So every action must spell
//! the queue name exactly as an earlier `QueueParams` row from the same PBX did.
//!
//! Each [`Asterisk`](super::Asterisk) has a checking proxy, and [`route_through_checkers`]
//! makes bridges connect through the proxies. If an action broke the rule, the test fails
//! when the bridge is dropped.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// The queue name in the bridge's permission check. No queue has this name.
const PERMISSION_PROBE: &str = "ami-bridge-permission-check";

/// The number of actions that all tests in this process have checked.
static CHECKED_ACTIONS: AtomicUsize = AtomicUsize::new(0);

/// The port and the record of each proxy. The key is the PBX's port.
static ROUTES: LazyLock<Mutex<HashMap<u16, (u16, QueueNameRecord)>>> =
    LazyLock::new(Mutex::default);

/// Returns how many actions with a queue name have been checked in this process.
pub(crate) fn total_checked_actions() -> usize {
    CHECKED_ACTIONS.load(Ordering::Relaxed)
}

/// Replaces the PBX addresses in a bridge configuration with the addresses of the PBXes'
/// proxies. Returns the new configuration and the records of these proxies.
pub(super) fn route_through_checkers(configuration: &str) -> (String, Vec<QueueNameRecord>) {
    let routes = ROUTES.lock().expect("an unpoisoned lock");
    let mut text = String::new();
    let mut records = Vec::new();
    for line in configuration.split_inclusive('\n') {
        let address = line.strip_prefix("address = \"127.0.0.1:");
        let port = address.and_then(|rest| rest.split('"').next()?.parse::<u16>().ok());
        match port.and_then(|port| Some((port, routes.get(&port)?))) {
            Some((port, (proxy, record))) => {
                text += &line.replacen(&format!(":{port}\""), &format!(":{proxy}\""), 1);
                records.push(record.clone());
            }
            None => text += line,
        }
    }
    (text, records)
}

/// A running checking proxy for one PBX.
pub(crate) struct QueueNameChecker {
    pbx_port: u16,
    pub(crate) port: u16,
    pub(crate) record: QueueNameRecord,
    is_stopped: Arc<AtomicBool>,
}

impl QueueNameChecker {
    pub(crate) fn start(pbx_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a bound socket").port();
        let record = QueueNameRecord::default();
        let is_stopped = Arc::new(AtomicBool::new(false));
        ROUTES
            .lock()
            .expect("an unpoisoned lock")
            .insert(pbx_port, (port, record.clone()));
        let (accept_record, stop) = (record.clone(), Arc::clone(&is_stopped));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                // If the PBX does not listen, the proxy closes the client's connection.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", pbx_port)) {
                    forward_both_ways(&accept_record, &client, &server);
                }
            }
        });
        Self {
            pbx_port,
            port,
            record,
            is_stopped,
        }
    }
}

impl Drop for QueueNameChecker {
    fn drop(&mut self) {
        ROUTES
            .lock()
            .expect("an unpoisoned lock")
            .remove(&self.pbx_port);
        self.is_stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, so that it sees the flag and exits.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn forward_both_ways(record: &QueueNameRecord, client: &TcpStream, server: &TcpStream) {
    for stream in [client, server] {
        let _ = stream.set_nodelay(true);
    }
    let copy = |stream: &TcpStream| stream.try_clone().expect("a cloned socket");
    let (action_record, list_record) = (record.clone(), record.clone());
    let mut reader = ActionReader::default();
    forward(copy(client), copy(server), move |line| {
        if let Some(action) = reader.read(line) {
            action_record.check(&action);
        }
    });
    let mut is_after_params = false;
    forward(copy(server), copy(client), move |line| {
        if is_after_params && let Some(name) = line.strip_prefix(b"Queue: ") {
            list_record.add_name(name);
        }
        is_after_params = line == b"Event: QueueParams";
    });
}

/// Forwards all bytes. Calls `inspect` with each complete line before forwarding the line,
/// so that a queue name is recorded before the bridge can use the name.
fn forward(
    mut from: TcpStream,
    mut to: TcpStream,
    mut inspect: impl FnMut(&[u8]) + Send + 'static,
) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        let mut partial = Vec::new();
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..count];
            let mut rest = bytes;
            while let Some(end) = memchr::memchr(b'\n', rest) {
                partial.extend_from_slice(&rest[..end]);
                inspect(partial.strip_suffix(b"\r").unwrap_or(&partial));
                partial.clear();
                rest = &rest[end + 1..];
            }
            partial.extend_from_slice(rest);
            if to.write_all(bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}

/// An AMI action with a queue name.
#[derive(Debug, Clone)]
struct NamingAction {
    action: String,
    queue: Vec<u8>,
}

/// Parses actions line by line.
#[derive(Default)]
struct ActionReader {
    action: Option<String>,
    /// The value of the first `Queue` header. Asterisk ignores further `Queue` headers.
    queue: Option<Vec<u8>>,
}

impl ActionReader {
    /// Parses a line. Returns the action if `line` ends an action with a queue name.
    fn read(&mut self, line: &[u8]) -> Option<NamingAction> {
        if line.is_empty() {
            let complete = std::mem::take(self);
            return Some(NamingAction {
                action: complete.action?,
                // Asterisk treats an empty header like a missing header.
                queue: complete.queue.filter(|queue| !queue.is_empty())?,
            });
        }
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii_start());
        if name.eq_ignore_ascii_case(b"action") {
            self.action
                .get_or_insert_with(|| String::from_utf8_lossy(value).into_owned());
        } else if name.eq_ignore_ascii_case(b"queue") {
            self.queue.get_or_insert_with(|| value.to_vec());
        }
        None
    }
}

/// The queue names and violations that a proxy has seen on all links to its PBX.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueueNameRecord(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    /// Queue names exactly as Asterisk's `QueueParams` rows spelled them.
    listed: BTreeSet<Vec<u8>>,
    actions: usize,
    violations: Vec<String>,
}

impl QueueNameRecord {
    fn add_name(&self, name: &[u8]) {
        let mut recorded = self.0.lock().expect("an unpoisoned lock");
        if !recorded.listed.contains(name) {
            recorded.listed.insert(name.to_vec());
        }
    }

    fn check(&self, action: &NamingAction) {
        if action.queue == PERMISSION_PROBE.as_bytes() {
            return;
        }
        CHECKED_ACTIONS.fetch_add(1, Ordering::Relaxed);
        let mut recorded = self.0.lock().expect("an unpoisoned lock");
        recorded.actions += 1;
        if recorded.listed.contains(&action.queue) {
            return;
        }
        let name = String::from_utf8_lossy(&action.queue);
        let mut listed = recorded.listed.iter();
        let listed = listed.find(|listed| listed.eq_ignore_ascii_case(&action.queue));
        let spelling = listed.map_or("no list contains it".to_owned(), |listed| {
            format!("Asterisk spells it {:?}", String::from_utf8_lossy(listed))
        });
        let violation = format!("{} named the queue {name:?}; {spelling}", action.action);
        recorded.violations.push(violation);
    }

    /// Returns the number of checked actions.
    pub(crate) fn actions(&self) -> usize {
        self.0.lock().expect("an unpoisoned lock").actions
    }

    /// Returns and clears the violations: actions with a queue name that Asterisk had not
    /// listed before. Cleared violations do not fail the test.
    pub(crate) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("an unpoisoned lock").violations)
    }

    pub(crate) fn assert_clean(&self) {
        let violations = self.take_violations();
        assert!(
            violations.is_empty(),
            "actions with a queue name that Asterisk had not listed: {violations:#?}"
        );
    }
}
