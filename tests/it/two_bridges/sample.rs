//! What the sample makes of requests, and of bridges that are not there.

use std::time::Duration;

use super::{Client, NAMES, World, add_agents};
use crate::stream::client::{EventClient, Item};
use crate::support::{ACME, API_PATH, SIMULATED, eventually, request};

/// Which requests may be asked twice.
#[test]
fn only_what_the_bridge_takes_for_a_read_is_one() {
    let world = World::start(SIMULATED, "info");
    add_agents(world.bridge(0));
    let read = "action=showqueue";
    let pause = "action=pause&agent=1001&queue=6001";
    let cases = [
        (read.to_owned(), "200 success", "reads"),
        ("action=ShowState&agent=1001".into(), "200 success", "reads"),
        (pause.into(), "200 success", "changes"),
        // HAProxy's own look at parameters would find the read here.
        (format!("_=;{read}&{pause}"), "200 success", "changes"),
        (format!("_=?{read}&{pause}"), "200 success", "changes"),
        (format!("_=x%26{read}&{pause}"), "200 success", "changes"),
        (
            format!("ACTION=showqueue&{pause}"),
            "400 unknown_parameter",
            "changes",
        ),
        (
            format!("{read}s&{pause}"),
            "400 duplicate_parameter",
            "changes",
        ),
        // Both, in whatever order: the bridge does neither.
        (
            format!("{read}&{pause}"),
            "400 duplicate_parameter",
            "reads",
        ),
        (
            format!("{pause}&{read}"),
            "400 duplicate_parameter",
            "reads",
        ),
        (
            format!("{read}&%61{}", &pause[1..]),
            "400 duplicate_parameter",
            "reads",
        ),
    ];
    let mut client = Client::new(0, &world.haproxy);
    for (query, outcome, _) in &cases {
        assert_eq!(client.get(query).outcome(), *outcome, "{query}");
    }
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let form = format!("username=globex&password=globex-password&{read}");
    let target = format!("{API_PATH}?_={read}");
    let answer = request(
        world.haproxy.address,
        "POST",
        &target,
        &headers,
        form.as_bytes(),
    );
    assert_eq!(answer.outcome(), "200 success");
    let took = eventually("all requests are logged", || {
        let log = world.haproxy.log();
        let took = log.lines().filter_map(|line| line.split(" panels ").nth(1));
        let took = took.filter_map(|rest| Some(rest.split_once('/')?.0.to_owned()));
        let took: Vec<_> = took.collect();
        (took.len() == cases.len() + 1).then_some(took)
    });
    let wanted = cases.iter().map(|(_, _, backend)| *backend);
    assert_eq!(took, wanted.chain(["changes"]).collect::<Vec<_>>());
}

/// Nobody is left without an answer in the interface's words.
#[test]
fn without_a_ready_bridge_there_is_an_answer() {
    let mut world = World::start(SIMULATED, "info");
    world.asterisk.kill();
    for name in NAMES {
        world.haproxy.wait_for_status(name, "DOWN");
    }
    let queries = ["action=showqueue", "action=pause&agent=1001&queue=6001"];
    let answers = |world: &World| {
        let mut client = Client::new(0, &world.haproxy);
        queries.map(|query| client.get(query))
    };
    for answer in answers(&world) {
        assert_eq!(answer.outcome(), "503 pbx_unavailable");
        assert!(
            answer.header("X-Request-Id").is_some(),
            "not the bridge's: {answer:?}"
        );
    }
    for number in [0, 1] {
        world.kill(number);
    }
    for answer in answers(&world) {
        assert_eq!(answer.outcome(), "503 pbx_unavailable");
        assert!(answer.header("Retry-After").is_some(), "{answer:?}");
        assert!(answer.header("X-Request-Id").is_none(), "{answer:?}");
    }
    world.asterisk.restart();
    for (number, name) in NAMES.into_iter().enumerate() {
        world.restart(number);
        world.haproxy.wait_for_status(name, "UP");
    }
    let mut client = Client::new(0, &world.haproxy);
    assert_eq!(client.get("action=showqueue").outcome(), "200 success");
}

const SOON: Duration = Duration::from_secs(10);

/// The other bridge does not know the ids of the first: there is a snapshot, no gap.
#[test]
fn a_stream_goes_on_at_the_other_bridge() {
    let mut world = World::start(SIMULATED, "info");
    add_agents(world.bridge(0));
    let mut stream = EventClient::open(world.haproxy.address, ACME, "");
    stream.until("snapshot", SOON);
    let [at, other] = match world.haproxy.active_requests("reads", "a").as_str() {
        "1" => [0, 1],
        _ => [1, 0],
    };
    let pause = "action=pause&agent=1001&queue=6001&reason=there";
    world.bridge(other).acme_ok(pause);
    stream.until("member", SOON);
    world.stop(at);
    let last = stream.until("shutdown", SOON).pop().expect("events");
    assert!(matches!(stream.next(SOON), Some(Item::End)));
    let address = world.haproxy.address;
    let mut stream = EventClient::resume(address, ACME, "", Some(&last.id));
    let first = stream.event(SOON).expect("an event");
    assert_eq!(first.name, "snapshot");
    assert!(first.data.to_string().contains("there"), "{first:?}");
}
