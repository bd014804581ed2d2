//! The sample configuration for HAProxy: how HAProxy routes requests, and how it responds if
//! no bridge is ready.

use std::time::Duration;

use super::{Client, NAMES, Setup, add_agents};
use crate::stream::client::{EventClient, Item};
use crate::support::{ACME, API_PATH, SIMULATED, eventually, request};

/// HAProxy may retry only requests in its `reads` backend.
#[test]
fn haproxy_retries_only_requests_that_the_bridge_treats_as_reads() {
    let setup = Setup::start(SIMULATED, "info");
    add_agents(setup.bridge(0));
    let read = "action=showqueue";
    let pause = "action=pause&agent=1001&queue=6001";
    let cases = [
        (read.to_owned(), "200 success", "reads"),
        ("action=ShowState&agent=1001".into(), "200 success", "reads"),
        (pause.into(), "200 success", "changes"),
        // HAProxy's own parameter parser would treat these queries as reads.
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
        // The bridge rejects a query with two actions, in any order.
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
    let mut client = Client::new(0, &setup.haproxy);
    for (query, outcome, _) in &cases {
        assert_eq!(client.get(query).outcome(), *outcome, "{query}");
    }
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let form = format!("username=globex&password=globex-password&{read}");
    let target = format!("{API_PATH}?_={read}");
    let response = request(
        setup.haproxy.address,
        "POST",
        &target,
        &headers,
        form.as_bytes(),
    );
    assert_eq!(response.outcome(), "200 success");
    let backends = eventually("all requests are logged", || {
        let log = setup.haproxy.log();
        let backends = log.lines().filter_map(|line| line.split(" panels ").nth(1));
        let backends = backends.filter_map(|rest| Some(rest.split_once('/')?.0.to_owned()));
        let backends: Vec<_> = backends.collect();
        (backends.len() == cases.len() + 1).then_some(backends)
    });
    let expected = cases.iter().map(|(_, _, backend)| *backend);
    assert_eq!(backends, expected.chain(["changes"]).collect::<Vec<_>>());
}

/// HAProxy's own responses have the same format as the API's responses.
#[test]
fn haproxy_answers_503_without_a_ready_bridge() {
    let mut setup = Setup::start(SIMULATED, "info");
    setup.asterisk.kill();
    for name in NAMES {
        setup.haproxy.wait_for_status(name, "DOWN");
    }
    let queries = ["action=showqueue", "action=pause&agent=1001&queue=6001"];
    let send_queries = |setup: &Setup| {
        let mut client = Client::new(0, &setup.haproxy);
        queries.map(|query| client.get(query))
    };
    for response in send_queries(&setup) {
        assert_eq!(response.outcome(), "503 pbx_unavailable");
        assert!(
            response.header("X-Request-Id").is_some(),
            "not from the bridge: {response:?}"
        );
    }
    for number in [0, 1] {
        setup.kill(number);
    }
    for response in send_queries(&setup) {
        assert_eq!(response.outcome(), "503 pbx_unavailable");
        assert!(response.header("Retry-After").is_some(), "{response:?}");
        assert!(response.header("X-Request-Id").is_none(), "{response:?}");
    }
    setup.asterisk.restart();
    for (number, name) in NAMES.into_iter().enumerate() {
        setup.restart(number);
        setup.haproxy.wait_for_status(name, "UP");
    }
    let mut client = Client::new(0, &setup.haproxy);
    assert_eq!(client.get("action=showqueue").outcome(), "200 success");
}

const EVENT_TIMEOUT: Duration = Duration::from_secs(10);

/// The second bridge does not know the first bridge's event ids, so its stream starts with a
/// snapshot.
#[test]
fn stream_continues_at_the_other_bridge_with_a_snapshot() {
    let mut setup = Setup::start(SIMULATED, "info");
    add_agents(setup.bridge(0));
    let mut stream = EventClient::open(setup.haproxy.address, ACME, "");
    stream.until("snapshot", EVENT_TIMEOUT);
    let [current, other] = match setup.haproxy.active_requests("reads", "a").as_str() {
        "1" => [0, 1],
        _ => [1, 0],
    };
    let pause = "action=pause&agent=1001&queue=6001&reason=there";
    setup.bridge(other).acme_ok(pause);
    stream.until("member", EVENT_TIMEOUT);
    setup.stop(current);
    let last = stream
        .until("shutdown", EVENT_TIMEOUT)
        .pop()
        .expect("a shutdown event");
    assert!(matches!(stream.next(EVENT_TIMEOUT), Some(Item::End)));
    let address = setup.haproxy.address;
    let mut stream = EventClient::resume(address, ACME, "", Some(&last.id));
    let first = stream.event(EVENT_TIMEOUT).expect("an event");
    assert_eq!(first.name, "snapshot");
    assert!(first.data.to_string().contains("there"), "{first:?}");
}
