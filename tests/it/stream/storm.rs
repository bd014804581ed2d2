//! Many streams at once: the bridge restarts while they are open, or many of their clients stop
//! reading.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ami_bridge::organizations::PasswordDigest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::client::EventClient;
use crate::support::{
    ACME, Asterisk, Bridge, ReservedPort, SIMULATED, configuration, eventually, request, start,
};

/// The clients of the bridge that restarts. Each connects from an address of its own.
const CLIENTS: usize = 500;

/// The clients that stop reading.
const SLOW_CLIENTS: usize = 100;

const EVENT_TIMEOUT: Duration = Duration::from_secs(20);

/// Counts the responses to the clients of the bridge that restarts.
#[derive(Default)]
struct Received {
    /// The number of open streams that have shown a snapshot.
    snapshots: AtomicUsize,
    /// The number of clients that have received the last change.
    changes: AtomicUsize,
    /// The number of responses that refused a stream because of too many logins.
    overloaded: AtomicUsize,
}

/// Opens a stream again and again, as the panel does, until the stream shows the last change.
async fn follow(address: SocketAddr, client: usize, received: Arc<Received>) {
    let source = Ipv4Addr::new(127, 1, (client / 200) as u8, (client % 200 + 1) as u8);
    loop {
        let ended = read_stream(address, source, &received).await;
        if ended.is_ok() {
            return;
        }
        sleep(Duration::from_millis(fastrand::u64(50..500))).await;
    }
}

/// Reads a stream until it shows the last change.
async fn read_stream(address: SocketAddr, source: Ipv4Addr, received: &Received) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((source, 0).into())?;
    let mut stream = socket.connect(address).await?;
    let (username, password) = (ACME.username, ACME.password);
    let target = format!("/events?username={username}&password={password}");
    let head = format!("GET {target} HTTP/1.1\r\nHost: bridge\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut text = Vec::new();
    let mut has_snapshot = false;
    loop {
        if !matches!(stream.read_buf(&mut text).await, Ok(1..)) {
            let snapshots = usize::from(has_snapshot);
            received.snapshots.fetch_sub(snapshots, Ordering::Relaxed);
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let has = |pattern: &str| memchr::memmem::find(&text, pattern.as_bytes()).is_some();
        if has("\"overloaded\"") {
            received.overloaded.fetch_add(1, Ordering::Relaxed);
        }
        if !has_snapshot && has("event: snapshot") {
            has_snapshot = true;
            received.snapshots.fetch_add(1, Ordering::Relaxed);
        }
        if has("\"paused_reason\":\"Last change\"") {
            received.changes.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
    }
}

/// Waits until the counter reaches the number of clients, and returns how long that took. Meanwhile
/// reads a queue through the API if there is a bridge, and returns the slowest read.
fn wait_for_all(counter: &AtomicUsize, bridge: Option<&Bridge>) -> (Duration, Duration) {
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    while counter.load(Ordering::Relaxed) < CLIENTS {
        assert!(begun.elapsed() < Duration::from_secs(60), "{counter:?}");
        let sent = Instant::now();
        if let Some(bridge) = bridge {
            bridge.acme_ok("action=showqueue&queue=6001");
            slowest = slowest.max(sent.elapsed());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    (begun.elapsed(), slowest)
}

#[test]
fn all_streams_are_up_to_date_soon_after_a_restart() {
    let asterisk = Asterisk::start(SIMULATED);
    let port = ReservedPort::reserve();
    let hash = PasswordDigest::of(ACME.password).hash().expect("a hash");
    let configuration = configuration(asterisk.port)
        .replace("info,ami_bridge=trace", "info")
        .replacen("127.0.0.1:0", &port.address.to_string(), 1)
        .replace(
            &format!("password = \"{}\"", ACME.password),
            &format!("password_hash = \"{hash}\""),
        );
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let received = Arc::<Received>::default();
    let clients = std::thread::spawn({
        let received = Arc::clone(&received);
        move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut clients = JoinSet::new();
                for client in 0..CLIENTS {
                    clients.spawn(follow(port.address, client, Arc::clone(&received)));
                }
                let all = clients.join_all();
                timeout(Duration::from_secs(120), all)
                    .await
                    .expect("the last change");
            });
        }
    });
    wait_for_all(&received.snapshots, None);
    drop(bridge);
    eventually("all streams have ended", || {
        (received.snapshots.load(Ordering::Relaxed) == 0).then_some(())
    });
    let bridge = Bridge::start(&configuration);
    let (up_to_date, slowest_read) = wait_for_all(&received.snapshots, Some(&bridge));
    bridge.acme_ok("action=pause&agent=1001&reason=Last+change");
    let (changed, _) = wait_for_all(&received.changes, None);
    clients.join().expect("the clients end");
    println!(
        "{CLIENTS} streams had their snapshots {up_to_date:?} after the restart, and a change \
         {changed:?} after it was made; the slowest read took {slowest_read:?}"
    );
    // A hash for each connection would be refused.
    assert_eq!(received.overloaded.load(Ordering::Relaxed), 0);
    assert!(up_to_date < Duration::from_secs(10), "{up_to_date:?}");
    assert!(slowest_read < Duration::from_secs(2), "{slowest_read:?}");
}

#[test]
fn clients_that_stop_reading_get_a_snapshot_and_delay_nobody() {
    let (_asterisk, bridge) = start(SIMULATED);
    let agents: Vec<_> = (1001..=1050).map(|agent| agent.to_string()).collect();
    let agents = agents.join(",");
    bridge.acme_ok(&format!("action=add&agent={agents}&queue=6001,6002"));
    let mut slow: Vec<_> = (0..SLOW_CLIENTS)
        .map(|_| EventClient::slow(bridge.address, ACME, ""))
        .collect();
    for client in &mut slow {
        client.until("snapshot", EVENT_TIMEOUT);
    }
    let mut fast = EventClient::open(bridge.address, ACME, "");
    fast.until("snapshot", EVENT_TIMEOUT);
    let before = bridge.usage().resident_kilobytes;
    // Each request makes 100 changes, whose events are larger than 70 KB. Together, they are larger
    // than all that the bridge stores for a view.
    let reason = |number: usize| format!("{number}+{:-<70}", "");
    let mut slowest = Duration::ZERO;
    for number in 0..120 {
        let reason = reason(number);
        bridge.acme_ok(&format!("action=pause&agent={agents}&reason={reason}"));
        let made = Instant::now();
        let mut missing = 100;
        while missing > 0 {
            let event = fast.until("member", EVENT_TIMEOUT).pop().expect("an event");
            let shown = event.data["member"]["paused_reason"].as_str();
            missing -= usize::from(shown == Some(&reason.replace('+', " ")));
        }
        slowest = slowest.max(made.elapsed());
    }
    let after = bridge.usage().resident_kilobytes;
    println!(
        "{SLOW_CLIENTS} clients did not read; a reader got changes within {slowest:?}; memory {before} kB, then {after} kB"
    );
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    // The entries of the view, the change log, and the clients' buffers fit within this limit.
    assert!(after < before + 24_576, "{before} kB, then {after} kB");
    for client in &mut slow {
        let events = client.until("snapshot", EVENT_TIMEOUT);
        let snapshot = &events.last().expect("a snapshot").data;
        let shown = &snapshot["queues"][0]["members"][0]["paused_reason"];
        assert_eq!(*shown, reason(119).replace('+', " "));
    }
    eventually("a slow client counts as dropped", || {
        let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
        let dropped = format!("ami_bridge_stream_snapshots_total{{pbx=\"main\"}} {SLOW_CLIENTS}");
        metrics.contains(&dropped).then_some(())
    });
}
