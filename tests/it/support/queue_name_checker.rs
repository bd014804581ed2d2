//! An AMI proxy that checks how the bridge spells queue names.
//!
//! Asterisk ignores case when it looks up a queue in memory, but not when it looks up a
//! realtime queue in its database. If an action spells a realtime queue in another case
//! than Asterisk does, Asterisk drops the dynamic members of the queue. So every action
//! must spell a queue exactly as an earlier `QueueParams` row of the same PBX did.
//!
//! Each [`Asterisk`](super::Asterisk) has such a proxy. [`route_through_checkers`] makes a
//! bridge connect through it. If an action broke the rule, the test fails when the bridge
//! is dropped.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// The queue in the permission check of the bridge. No such queue exists.
const PERMISSION_PROBE: &str = "ami-bridge-permission-check";

/// The number of checked actions in all tests of this process.
static CHECKED_ACTIONS: AtomicUsize = AtomicUsize::new(0);

/// The port and the record of each proxy, by the port of its PBX.
static ROUTES: LazyLock<Mutex<HashMap<u16, (u16, QueueNameRecord)>>> =
    LazyLock::new(Mutex::default);

/// The number of actions with a queue name that were checked in this process so far.
pub(crate) fn checked_in_total() -> usize {
    CHECKED_ACTIONS.load(Ordering::Relaxed)
}

/// Replaces the PBX addresses in a configuration of the bridge with the addresses of their
/// proxies. Returns the new configuration and the records of these proxies.
pub(super) fn route_through_checkers(configuration: &str) -> (String, Vec<QueueNameRecord>) {
    let routes = ROUTES.lock().expect("routes");
    let mut text = String::new();
    let mut logs = Vec::new();
    for line in configuration.split_inclusive('\n') {
        let address = line.strip_prefix("address = \"127.0.0.1:");
        let port = address.and_then(|rest| rest.split('"').next()?.parse::<u16>().ok());
        match port.and_then(|port| Some((port, routes.get(&port)?))) {
            Some((port, (proxy, log))) => {
                text += &line.replacen(&format!(":{port}\""), &format!(":{proxy}\""), 1);
                logs.push(log.clone());
            }
            None => text += line,
        }
    }
    (text, logs)
}

/// The checking proxy of one PBX.
pub(crate) struct QueueNameChecker {
    pbx: u16,
    pub(crate) port: u16,
    pub(crate) log: QueueNameRecord,
    ended: Arc<AtomicBool>,
}

impl QueueNameChecker {
    pub(crate) fn start(pbx: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let log = QueueNameRecord::default();
        let ended = Arc::new(AtomicBool::new(false));
        ROUTES
            .lock()
            .expect("routes")
            .insert(pbx, (port, log.clone()));
        let (accepting, end) = (log.clone(), Arc::clone(&ended));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                // If the PBX does not listen, the proxy closes the connection of the client.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", pbx)) {
                    forward_both_ways(&accepting, &client, &server);
                }
            }
        });
        Self {
            pbx,
            port,
            log,
            ended,
        }
    }
}

impl Drop for QueueNameChecker {
    fn drop(&mut self) {
        ROUTES.lock().expect("routes").remove(&self.pbx);
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then exits.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn forward_both_ways(log: &QueueNameRecord, client: &TcpStream, server: &TcpStream) {
    for stream in [client, server] {
        let _ = stream.set_nodelay(true);
    }
    let copy = |stream: &TcpStream| stream.try_clone().expect("a copy");
    let (actions, lists) = (log.clone(), log.clone());
    let mut reader = ActionReader::default();
    forward(copy(client), copy(server), move |line| {
        if let Some(action) = reader.read(line) {
            actions.check(&action);
        }
    });
    let mut after_params = false;
    forward(copy(server), copy(client), move |line| {
        if after_params && let Some(name) = line.strip_prefix(b"Queue: ") {
            lists.record(name);
        }
        after_params = line == b"Event: QueueParams";
    });
}

/// Forwards all bytes. Calls `inspect` with each complete line before the line is
/// forwarded, so that a name is recorded before the bridge can use it.
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

/// An action that names a queue.
#[derive(Debug, Clone)]
struct NamingAction {
    action: String,
    queue: Vec<u8>,
}

/// Collects the headers of an action.
#[derive(Default)]
struct ActionReader {
    action: Option<String>,
    /// The first `Queue:` header, since Asterisk ignores a second one.
    queue: Option<Vec<u8>>,
}

impl ActionReader {
    /// Returns the action if `line` completes one that names a queue.
    fn read(&mut self, line: &[u8]) -> Option<NamingAction> {
        if line.is_empty() {
            let ended = std::mem::take(self);
            return Some(NamingAction {
                action: ended.action?,
                // Asterisk treats an empty header as absent.
                queue: ended.queue.filter(|queue| !queue.is_empty())?,
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

/// The queue names and violations that the proxy recorded on all links to one PBX.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueueNameRecord(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    /// Queue names exactly as the `QueueParams` rows of Asterisk spelled them.
    listed: BTreeSet<Vec<u8>>,
    actions: usize,
    violations: Vec<String>,
}

impl QueueNameRecord {
    fn record(&self, name: &[u8]) {
        let mut recorded = self.0.lock().expect("recorded");
        if !recorded.listed.contains(name) {
            recorded.listed.insert(name.to_vec());
        }
    }

    fn check(&self, action: &NamingAction) {
        if action.queue == PERMISSION_PROBE.as_bytes() {
            return;
        }
        CHECKED_ACTIONS.fetch_add(1, Ordering::Relaxed);
        let mut recorded = self.0.lock().expect("recorded");
        recorded.actions += 1;
        if recorded.listed.contains(&action.queue) {
            return;
        }
        let name = String::from_utf8_lossy(&action.queue);
        let mut listed = recorded.listed.iter();
        let listed = listed.find(|listed| listed.eq_ignore_ascii_case(&action.queue));
        let listed = listed.map_or("no list contains it".to_owned(), |listed| {
            format!("Asterisk spells it {:?}", String::from_utf8_lossy(listed))
        });
        let violation = format!("{} named the queue {name:?}; {listed}", action.action);
        recorded.violations.push(violation);
    }

    /// The number of actions that named a queue.
    pub(crate) fn actions(&self) -> usize {
        self.0.lock().expect("recorded").actions
    }

    /// Returns and clears the violations: actions whose queue name was not in an earlier
    /// list of Asterisk. Cleared violations do not fail the test.
    pub(crate) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("recorded").violations)
    }

    pub(crate) fn assert_clean(&self) {
        let violations = self.take_violations();
        assert!(
            violations.is_empty(),
            "actions that spelled a queue differently from Asterisk's lists: {violations:#?}"
        );
    }
}
