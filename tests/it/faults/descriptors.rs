//! Few file descriptors: clients may use up theirs, and never those of the link, the
//! listener for operations and the log.

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

/// What a bridge has with 256 descriptors and one PBX: the rest is for others.
const CLIENTS: usize = 196;

fn with_limit(option: &str, limit: u32, asterisk: &Asterisk) -> Bridge {
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
fn clients_that_use_up_theirs_leave_the_link_its_own() {
    let mut asterisk = Asterisk::start(SIMULATED);
    let bridge = with_limit("-n", 256, &asterisk);
    assert!(bridge.log().contains("http.max_connections is lowered"));
    assert_eq!(
        metric(&bridge, "ami_bridge_connections_limit"),
        CLIENTS as u64
    );
    // Users of their own right: nobody may close these.
    let streams: Vec<_> = (0..CLIENTS)
        .map(|_| EventClient::open(bridge.address, ACME, ""))
        .collect();
    let further: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(bridge.address).expect("the system takes it"))
        .collect();
    eventually("they have taken all", || {
        let taken = bridge.log().contains("all connections are taken");
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
    // With every client still there.
    bridge.wait_ready();
    assert_eq!(metric(&bridge, "ami_bridge_connections"), CLIENTS as u64);
    assert!(!bridge.log().contains("no connection can be accepted"));
    assert!(bridge.usage().descriptors < 256);
    drop(streams);
    drop(further);
    eventually("it serves again", || {
        (bridge.get_as(ACME, "action=showqueue").status == 200).then_some(())
    });
}

#[test]
fn the_soft_limit_is_raised_to_the_hard_one() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = with_limit("-S -n", 64, &asterisk);
    assert!(!bridge.log().contains("is lowered"));
    let clients: Vec<_> = (0..100)
        .map(|_| EventClient::open(bridge.address, ACME, ""))
        .collect();
    assert_eq!(metric(&bridge, "ami_bridge_connections"), 100);
    drop(clients);
}

#[test]
fn strangers_who_do_nothing_make_room() {
    let asterisk = Asterisk::start(SIMULATED);
    let few = configuration(asterisk.port).replace("[http]", "[http]\nmax_connections = 8");
    let bridge = Bridge::start(&few);
    let mut stream = EventClient::open(bridge.address, ACME, "");
    stream.until("snapshot", Duration::from_secs(20));
    let mut idle: Vec<_> = (0..20)
        .map(|number| {
            let mut stream = TcpStream::connect(bridge.address).expect("the system takes it");
            if number % 2 == 1 {
                stream.write_all(b"GET / HT").expect("written");
            }
            stream
        })
        .collect();
    // Behind all of these, who have half a minute when there is room.
    let begun = Instant::now();
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let took = begun.elapsed();
    println!("a client behind 20 idle ones with 8 slots was answered after {took:?}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    let mut byte = [0];
    let ended = idle[0].read(&mut byte);
    assert!(matches!(&ended, Ok(0)) || ended.is_err(), "{ended:?}");
    // Whoever has shown who it is stays.
    stream.until("member", Duration::from_secs(20));
}

#[test]
fn idle_clients_stay_where_there_is_room() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    let mut idle = TcpStream::connect(bridge.address).expect("connected");
    // Longer than strangers may be idle when there is none; that is what is tested.
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

/// Others of the system may use up what is the bridge's.
#[test]
fn running_out_of_descriptors_does_not_spin() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    let used = bridge.usage().descriptors as u64;
    let limit = used + 8;
    let pid = bridge.pid().cast_signed();
    rlimit::prlimit(pid, Resource::NOFILE, Some((limit, limit)), None).expect("lowered");
    let many: Vec<_> = (0..60)
        .map(|_| TcpStream::connect(bridge.address).expect("the system takes it"))
        .collect();
    eventually("it has run out", || {
        let log = bridge.log_so_far();
        log.contains("no connection can be accepted").then_some(())
    });
    let before = bridge.usage().cpu_ticks;
    sleep(Duration::from_secs(1));
    let spent = bridge.usage().cpu_ticks - before;
    // A busy loop would use a hundred ticks in a second.
    assert!(spent < 30, "{spent} ticks");
    drop(many);
    eventually("it serves again", || {
        (bridge.get_as(ACME, "action=showqueue").status == 200).then_some(())
    });
}
