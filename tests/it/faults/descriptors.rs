//! With few file descriptors, clients can use up their share, but not the descriptors of the
//! link, the admin listener and the log.

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

/// The client connections of a bridge with 256 descriptors and one PBX. The bridge reserves
/// the other descriptors.
const MAX_CLIENTS: usize = 196;

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
        .expect("the metric")
}

#[test]
fn clients_cannot_use_up_the_descriptors_of_the_link() {
    let mut asterisk = Asterisk::start(SIMULATED);
    let bridge = start_with_limit("-n", 256, &asterisk);
    assert!(bridge.log().contains("http.max_connections is lowered"));
    assert_eq!(
        metric(&bridge, "ami_bridge_connections_limit"),
        MAX_CLIENTS as u64
    );
    // These clients are authenticated, so the bridge must not close their connections.
    let streams: Vec<_> = (0..MAX_CLIENTS)
        .map(|_| EventClient::open(bridge.address, ACME, ""))
        .collect();
    let more: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(bridge.address).expect("the kernel accepts it"))
        .collect();
    eventually("connection limit reached", || {
        let taken = bridge.log().contains("connection limit reached");
        taken.then_some(())
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
    drop(more);
    eventually("the bridge answers again", || {
        (bridge.get_as(ACME, "action=showqueue").status == 200).then_some(())
    });
}

#[test]
fn soft_limit_is_raised_to_the_hard_limit() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = start_with_limit("-S -n", 64, &asterisk);
    assert!(!bridge.log().contains("is lowered"));
    let clients: Vec<_> = (0..100)
        .map(|_| EventClient::open(bridge.address, ACME, ""))
        .collect();
    assert_eq!(metric(&bridge, "ami_bridge_connections"), 100);
    drop(clients);
}

#[test]
fn idle_unauthenticated_clients_are_closed_to_make_room() {
    let asterisk = Asterisk::start(SIMULATED);
    let few = configuration(asterisk.port).replace("[http]", "[http]\nmax_connections = 8");
    let bridge = Bridge::start(&few);
    let mut stream = EventClient::open(bridge.address, ACME, "");
    stream.until("snapshot", Duration::from_secs(20));
    let mut idle: Vec<_> = (0..20)
        .map(|number| {
            let mut stream = TcpStream::connect(bridge.address).expect("the kernel accepts it");
            if number % 2 == 1 {
                stream.write_all(b"GET / HT").expect("written");
            }
            stream
        })
        .collect();
    // This client connects after all idle clients. Without a shortage, idle clients may stay
    // connected for 30 s.
    let begun = Instant::now();
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let took = begun.elapsed();
    println!("a client after 20 idle ones was answered after {took:?}, with 8 connections allowed");
    assert!(took < Duration::from_secs(15), "{took:?}");
    let mut byte = [0];
    let ended = idle[0].read(&mut byte);
    assert!(matches!(&ended, Ok(0)) || ended.is_err(), "{ended:?}");
    // The authenticated client stays connected.
    stream.until("member", Duration::from_secs(20));
}

#[test]
fn idle_clients_stay_connected_without_a_shortage() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    let mut idle = TcpStream::connect(bridge.address).expect("connected");
    // Longer than idle clients may stay during a shortage. This time is part of the test.
    sleep(Duration::from_secs(3));
    idle.set_nonblocking(true).expect("a socket");
    let early = idle.read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(early, Err(ErrorKind::WouldBlock));
    idle.set_nonblocking(false).expect("a socket");
    let query = format!(
        "username={}&password={}&action=showqueue",
        ACME.username, ACME.password
    );
    write!(idle, "GET {API_PATH}?{query} HTTP/1.0\r\n\r\n").expect("written");
    let mut answer = String::new();
    idle.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains("\"status\":\"success\""), "{answer}");
}

/// The kernel can refuse descriptors before the bridge reaches its limit, for example if the
/// whole system runs out. This test lowers the limit of the running bridge instead.
#[test]
fn running_out_of_descriptors_causes_no_busy_loop() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    let used = bridge.usage().descriptors as u64;
    let limit = used + 8;
    let pid = bridge.pid().cast_signed();
    rlimit::prlimit(pid, Resource::NOFILE, Some((limit, limit)), None).expect("lowered");
    let many: Vec<_> = (0..60)
        .map(|_| TcpStream::connect(bridge.address).expect("the kernel accepts it"))
        .collect();
    eventually("the bridge has run out of descriptors", || {
        let log = bridge.log_so_far();
        log.contains("can't accept connections").then_some(())
    });
    let before = bridge.usage().cpu_ticks;
    sleep(Duration::from_secs(1));
    let spent = bridge.usage().cpu_ticks - before;
    // A busy loop would use 100 ticks in a second.
    assert!(spent < 30, "{spent} ticks");
    drop(many);
    eventually("the bridge answers again", || {
        (bridge.get_as(ACME, "action=showqueue").status == 200).then_some(())
    });
}
