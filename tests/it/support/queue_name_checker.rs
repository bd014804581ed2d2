//! An AMI proxy that checks how the bridge spells queue names.
//!
//! Asterisk finds a queue in memory without regard to case, but looks a realtime queue
//! up in its database with case. An action that spells a realtime queue otherwise than
//! Asterisk does makes Asterisk drop the queue's dynamic members. So every action must
//! use a name exactly as a `QueueParams` row has spelled it before on that PBX.
//!
//! Each [`Asterisk`](super::Asterisk) has such a proxy, and [`route_through_checkers`] puts it between
//! the bridge and that PBX. When the bridge is dropped, a violation fails the test.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// The bridge's permission check names this queue, which exists nowhere.
const PERMISSION_PROBE: &str = "ami-bridge-permission-check";

/// Actions that named a queue, over all tests of this process.
static AUDITED: AtomicUsize = AtomicUsize::new(0);

/// The proxies, by the port of the PBX behind them.
static ROUTES: LazyLock<Mutex<HashMap<u16, (u16, QueueNameRecord)>>> =
    LazyLock::new(Mutex::default);

/// How many actions that name a queue have been audited in this process so far.
pub(crate) fn checked_in_total() -> usize {
    AUDITED.load(Ordering::Relaxed)
}

/// Replaces the addresses of audited PBXes in a bridge's configuration by those of
/// their proxies.
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

/// The proxy of one PBX.
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
                // If nothing listens there, the client sees its connection closed.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", pbx)) {
                    pass_both(&accepting, &client, &server);
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
        // Wakes the accepting thread, which then ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn pass_both(log: &QueueNameRecord, client: &TcpStream, server: &TcpStream) {
    for stream in [client, server] {
        let _ = stream.set_nodelay(true);
    }
    let copy = |stream: &TcpStream| stream.try_clone().expect("a copy");
    let (actions, lists) = (log.clone(), log.clone());
    let mut reader = ActionReader::default();
    pass(copy(client), copy(server), move |line| {
        if let Some(action) = reader.read(line) {
            actions.check(&action);
        }
    });
    let mut after_params = false;
    pass(copy(server), copy(client), move |line| {
        if after_params && let Some(name) = line.strip_prefix(b"Queue: ") {
            lists.record(name);
        }
        after_params = line == b"Event: QueueParams";
    });
}

/// Passes everything on. Looks at each whole line before it is passed on, so that a
/// name is recorded before the bridge can use it.
fn pass(mut from: TcpStream, mut to: TcpStream, mut look: impl FnMut(&[u8]) + Send + 'static) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        let mut partial = Vec::new();
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..count];
            let mut rest = bytes;
            while let Some(end) = memchr::memchr(b'\n', rest) {
                partial.extend_from_slice(&rest[..end]);
                look(partial.strip_suffix(b"\r").unwrap_or(&partial));
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

/// Collects the headers of actions.
#[derive(Default)]
struct ActionReader {
    action: Option<String>,
    /// The first `Queue:` header, since Asterisk ignores a second one.
    queue: Option<Vec<u8>>,
}

impl ActionReader {
    /// Returns the action that this line ends, if it names a queue.
    fn read(&mut self, line: &[u8]) -> Option<NamingAction> {
        if line.is_empty() {
            let ended = std::mem::take(self);
            return Some(NamingAction {
                action: ended.action?,
                // An empty header counts as absent.
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

/// What was seen on the links to one PBX.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueueNameRecord(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    /// Names exactly as Asterisk's `QueueParams` rows have spelled them.
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
        AUDITED.fetch_add(1, Ordering::Relaxed);
        let mut recorded = self.0.lock().expect("recorded");
        recorded.actions += 1;
        if recorded.listed.contains(&action.queue) {
            return;
        }
        let name = String::from_utf8_lossy(&action.queue);
        let mut listed = recorded.listed.iter();
        let listed = listed.find(|listed| listed.eq_ignore_ascii_case(&action.queue));
        let listed = listed.map_or("no list has it".to_owned(), |listed| {
            format!("Asterisk spells it {:?}", String::from_utf8_lossy(listed))
        });
        let violation = format!("{} named the queue {name:?}; {listed}", action.action);
        recorded.violations.push(violation);
    }

    /// How many actions named a queue.
    pub(crate) fn actions(&self) -> usize {
        self.0.lock().expect("recorded").actions
    }

    /// The actions that named a queue otherwise than Asterisk's lists before them. They
    /// no longer fail the test.
    pub(crate) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("recorded").violations)
    }

    pub(crate) fn assert_clean(&self) {
        let violations = self.take_violations();
        assert!(
            violations.is_empty(),
            "actions that spelled a queue otherwise than Asterisk's list: {violations:#?}"
        );
    }
}
