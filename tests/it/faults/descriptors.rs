//! The bridge has few file descriptors. Clients can use up their share, but not the
//! descriptors reserved for the link, the admin listener and the log.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rlimit::Resource;

use crate::stream::client::EventClient;
use crate::support::{
    ACME, API_PATH, Asterisk, Bridge, SIMULATED, configuration, eventually, request,
};

/// The maximum number of client connections with 256 descriptors and one PBX. The bridge
/// reserves the other descriptors.
const MAX_CLIENTS: usize = 190;

fn start_with_limit(option: &str, limit: u32, asterisk: &Asterisk) -> Bridge {
    let mut shell = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_ami-bridge");
    let script = format!("ulimit {option} {limit}; exec \"$0\" \"$@\"");
    shell.args(["-c", &script, program]);
    let bridge = Bridge::start_command(shell, &configuration(asterisk.port));
    bridge.wait_ready();
    bridge
}

fn metric(bridge: &Bridge, name: &str) -> u64 {
    let text = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok())
        .expect("a metric value")
}

#[test]
fn clients_cannot_exhaust_the_descriptors_reserved_for_the_link() {
    let mut asterisk = Asterisk::start(SIMULATED);
    let bridge = start_with_limit("-n", 256, &asterisk);
    assert!(
        bridge
            .log()
            .contains("the bridge may open only 256 file descriptors")
    );
    assert_eq!(
        metric(&bridge, "ami_bridge_connections_limit"),
        MAX_CLIENTS as u64
    );
    // The bridge must not close connections of authenticated clients.
    let streams: Vec<_> = (0..MAX_CLIENTS)
        .map(|_| EventClient::open(bridge.address, ACME, ""))
        .collect();
    let excess: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(bridge.address).expect("a connection accepted by the kernel"))
        .collect();
    eventually("the connection limit is logged", || {
        let is_logged = bridge.log().contains("connection limit reached");
        is_logged.then_some(())
    });
    assert_eq!(
        request(bridge.admin, "GET", "/healthz", &[], b"").status,
        200
    );
    assert!(bridge.is_ready());
    asterisk.kill();
    eventually("the link is lost", || (!bridge.is_ready()).then_some(()));
    asterisk.restart();
    // All clients are still connected.
    bridge.wait_ready();
    assert_eq!(
        metric(&bridge, "ami_bridge_connections"),
        MAX_CLIENTS as u64
    );
    assert!(!bridge.log().contains("can't accept connections"));
    assert!(bridge.usage().descriptors < 256);
    drop(streams);
    drop(excess);
    eventually("the bridge answers again", || {
        (bridge.get_as(ACME, "action=showqueue").status == 200).then_some(())
    });
}

#[test]
fn bridge_raises_its_soft_descriptor_limit_to_the_hard_limit() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = start_with_limit("-S -n", 64, &asterisk);
    assert!(!bridge.log().contains("file descriptors"));
    let clients: Vec<_> = (0..100)
        .map(|_| EventClient::open(bridge.address, ACME, ""))
        .collect();
    assert_eq!(metric(&bridge, "ami_bridge_connections"), 100);
    drop(clients);
}

#[test]
fn bridge_closes_idle_unauthenticated_connections_to_make_room() {
    let asterisk = Asterisk::start(SIMULATED);
    let few = configuration(asterisk.port).replace("[http]", "[http]\nmax_connections = 8");
    let bridge = Bridge::start(&few);
    let mut stream = EventClient::open(bridge.address, ACME, "");
    stream.until("snapshot", Duration::from_secs(20));
    let mut idle: Vec<_> = (0..20)
        .map(|number| {
            let mut stream =
                TcpStream::connect(bridge.address).expect("a connection accepted by the kernel");
            if number % 2 == 1 {
                stream.write_all(b"GET / HT").expect("written");
            }
            stream
        })
        .collect();
    // This client connects last. If connections were not scarce, the idle clients could stay
    // connected for 30 s.
    let begun = Instant::now();
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let took = begun.elapsed();
    println!(
        "with 20 idle clients and max_connections = 8, another client got its response after {took:?}"
    );
    assert!(took < Duration::from_secs(15), "{took:?}");
    let mut byte = [0];
    let result = idle[0].read(&mut byte);
    assert!(matches!(&result, Ok(0)) || result.is_err(), "{result:?}");
    // The authenticated client stays connected.
    stream.until("member", Duration::from_secs(20));
}

#[test]
fn idle_clients_stay_connected_while_connections_are_available() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    let mut idle = TcpStream::connect(bridge.address).expect("a connection");
    // Waits longer than idle clients may stay connected when connections are scarce.
    sleep(Duration::from_secs(3));
    idle.set_nonblocking(true).expect("a socket");
    let result = idle.read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(result, Err(ErrorKind::WouldBlock));
    idle.set_nonblocking(false).expect("a socket");
    let query = format!(
        "username={}&password={}&action=showqueue",
        ACME.username, ACME.password
    );
    write!(idle, "GET {API_PATH}?{query} HTTP/1.0\r\n\r\n").expect("written");
    let mut response = String::new();
    idle.read_to_string(&mut response).expect("a response");
    assert!(response.contains("\"status\":\"success\""), "{response}");
}

/// The kernel can refuse a descriptor before the bridge reaches its limit, for example because
/// the whole system has run out of them. To simulate this, the test lowers the limit of the
/// running bridge.
#[test]
fn running_out_of_descriptors_causes_no_busy_loop() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    let used = bridge.usage().descriptors as u64;
    let limit = used + 8;
    let pid = bridge.pid().cast_signed();
    rlimit::prlimit(pid, Resource::NOFILE, Some((limit, limit)), None).expect("a lowered limit");
    let connections: Vec<_> = (0..60)
        .map(|_| TcpStream::connect(bridge.address).expect("a connection accepted by the kernel"))
        .collect();
    eventually("the bridge runs out of descriptors", || {
        let log = bridge.log_so_far();
        log.contains("can't accept connections").then_some(())
    });
    let before = bridge.usage().cpu_ticks;
    sleep(Duration::from_secs(1));
    let spent = bridge.usage().cpu_ticks - before;
    // A busy loop would use 100 clock ticks a second.
    assert!(spent < 30, "{spent} ticks");
    drop(connections);
    eventually("the bridge answers again", || {
        (bridge.get_as(ACME, "action=showqueue").status == 200).then_some(())
    });
}
