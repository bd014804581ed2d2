//! Many PBXes in one process. A faulty PBX does not affect the other PBXes.
//!
//! The tests check the order of events rather than their speed: requests to all other PBXes
//! complete while requests to the faulty PBX are still in progress.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::TcpListener;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::{
    API_PATH, Asterisk, Bridge, KeepAliveConnection, SIMULATED, eventually, request,
};

const PBXES: usize = 50;

/// The number of the faulty PBX, which is neither the first nor the last.
const FAULTY: usize = 7;

/// The number of clients that change the other PBXes.
const CLIENTS: usize = 4;

/// The number of changes sent to the faulty PBX.
const FAULTY_CHANGES: usize = 8;

/// Returns a configuration with an organization and a user for each PBX. Queues and agents have the
/// same names on every PBX. A PBX would therefore execute a change that was sent to another PBX, and the
/// test would detect this.
fn configuration(ports: &[u16]) -> String {
    let mut text = "[http]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
         [log]\nlevel = \"info,ami_bridge::wire=trace\"\n"
        .to_owned();
    for (number, port) in ports.iter().enumerate() {
        let _ = write!(
            text,
            r#"
[pbx.pbx{number}]
address = "127.0.0.1:{port}"
username = "queuebridge"
secret = "sample-secret-change-me"
action_timeout = "60s"

[organization.org{number}]
pbx = "pbx{number}"
queues = ["6001"]
queue_name = "acme-{{queue}}"
agents = ["1001-1099"]
interface = "Local/{{agent}}@acme-agents"

[[organization.org{number}.user]]
username = "user{number}"
password = "password{number}"
"#
        );
    }
    text
}

fn start_pbxes() -> Vec<Asterisk> {
    (0..PBXES)
        .map(|_| Asterisk::start_direct(SIMULATED))
        .collect()
}

fn ports(pbxes: &[Asterisk]) -> Vec<u16> {
    pbxes.iter().map(|pbx| pbx.port).collect()
}

fn query(pbx: usize, action: &str) -> String {
    format!("username=user{pbx}&password=password{pbx}&agent=1001&{action}")
}

/// Sends changes and reads to every PBX except the faulty one. Asserts that all succeed.
fn change_all_others(bridge: &Bridge, round: &str) {
    let run_client = |client: usize| {
        let mut connection = KeepAliveConnection::new(bridge.address);
        let mut get = |pbx, action: &str| {
            let target = format!("{API_PATH}?{}", query(pbx, action));
            let body = connection.get(&target).expect("a response").json();
            assert_eq!(body["status"], "success", "{pbx}, {action}: {body}");
            body
        };
        for pbx in (client..PBXES)
            .step_by(CLIENTS)
            .filter(|pbx| *pbx != FAULTY)
        {
            let reason = reason(pbx, round);
            let add = format!("action=add&queue=6001&paused=1&reason={reason}-added");
            get(pbx, &add);
            get(pbx, &format!("action=pause&reason={reason}"));
            assert_eq!(get(pbx, "action=showstate")["reason"], *reason);
            get(pbx, "action=remove&queue=6001");
        }
    };
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || run_client(client));
        }
    });
}

/// Returns a pause reason that is unique to the PBX and the round.
fn reason(pbx: usize, round: &str) -> String {
    format!("{round}-of-{pbx}")
}

/// Asserts that each PBX, except the faulty one, has executed its own pauses and no others.
fn assert_own_pauses(pbxes: &[Asterisk], rounds: &[&str]) {
    for (number, pbx) in pbxes
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != FAULTY)
    {
        let log = pbx.queue_log();
        let pauses = log.lines().filter(|line| line.contains("|PAUSE|"));
        let reasons: BTreeSet<_> = pauses.filter_map(|line| line.rsplit('|').next()).collect();
        let expected = rounds.iter().map(|round| reason(number, round));
        let with_added = |reason: &String| [reason.clone(), format!("{reason}-added")];
        let expected: BTreeSet<_> = expected.flat_map(|reason| with_added(&reason)).collect();
        let logged: BTreeSet<_> = reasons.into_iter().map(str::to_owned).collect();
        assert!(logged.is_subset(&expected), "{number}: {logged:?}");
        assert!(
            rounds
                .iter()
                .all(|round| logged.contains(&reason(number, round)))
        );
    }
}

/// Returns the HTTP status of `/readyz`, and the names of the PBXes that are not ready.
fn not_ready(bridge: &Bridge) -> (u16, Vec<String>) {
    let response = request(bridge.admin, "GET", "/readyz", &[], b"");
    let body = response.json();
    let pbxes = body["pbx"].as_object().expect("PBXes").iter();
    let unready = pbxes.filter(|(_, pbx): &(_, &Value)| pbx["state"] != "ready");
    (
        response.status,
        unready.map(|(name, _)| name.clone()).collect(),
    )
}

/// The faulty PBX accepts data but no longer answers. The bridge can't detect this fault
/// immediately.
#[test]
fn frozen_pbx_does_not_delay_other_pbxes() {
    let pbxes = start_pbxes();
    let bridge = Bridge::start(&configuration(&ports(&pbxes)));
    assert_eq!(not_ready(&bridge), (200, vec![]));
    pbxes[FAULTY].freeze();
    std::thread::scope(|scope| {
        let pause = || bridge.get(&query(FAULTY, "action=pause&queue=6001&reason=faulty"));
        let pauses: Vec<_> = (0..FAULTY_CHANGES).map(|_| scope.spawn(pause)).collect();
        eventually("the bridge has sent all changes to the faulty PBX", || {
            (bridge.sent_count("QueuePause { queue: \"acme") == FAULTY_CHANGES).then_some(())
        });
        for round in ["first", "second", "third"] {
            change_all_others(&bridge, round);
        }
        let answered = pauses.iter().filter(|request| request.is_finished());
        assert_eq!(answered.count(), 0, "the other PBXes were delayed");
        for request in pauses {
            let response = request.join().expect("no panic in a request thread");
            assert_eq!(response.outcome(), "504 outcome_unknown");
        }
    });
    assert_own_pauses(&pbxes, &["first", "second", "third"]);
}

/// A scrape queries all PBXes concurrently, so several silent PBXes delay the scrape no longer
/// than one.
#[test]
fn metrics_scrape_queries_all_pbxes_concurrently() {
    let pbxes = start_pbxes();
    let bridge = Bridge::start(&configuration(&ports(&pbxes)));
    for pbx in &pbxes[..SILENT_PBXES] {
        pbx.freeze();
    }
    let (first, last) = eventually("one scrape queries all PBXes", || {
        let before = metrics_queries(&bridge.log()).len();
        let text = request(bridge.admin, "GET", "/metrics", &[], b"").body;
        // Ignores the scrape unless it contains the four queues of each PBX that answers.
        let reported = text.matches("ami_bridge_queue_completed{").count();
        if reported < 4 * (PBXES - SILENT_PBXES) {
            return None;
        }
        let queries = metrics_queries(&bridge.log()).split_off(before);
        let pbxes: BTreeSet<_> = queries.iter().map(|(pbx, _)| pbx).collect();
        (pbxes.len() == PBXES).then(|| (queries[0].1, queries[queries.len() - 1].1))
    });
    let spread = last.duration_since(first).as_secs_f64();
    // If the queries were sequential, the bridge would send the last one only after two
    // timeouts of 2 s each.
    assert!(spread < 4.0, "{spread} s");
}

/// The number of PBXes that do not answer the scrape.
const SILENT_PBXES: usize = 3;

/// Returns the PBX name and the time of each query that scrapes have sent.
fn metrics_queries(log: &str) -> Vec<(String, Timestamp)> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let queries =
        lines.filter(|line: &Value| line["message"] == "sent" && line["request_id"] == "metrics");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let time = |line: &Value| text(&line["timestamp"]).parse().expect("a time");
    queries
        .map(|line| (text(&line["spans"][0]["pbx"]), time(&line)))
        .collect()
}

/// The faulty PBX accepts connections but never sends a greeting.
#[test]
fn pbx_without_a_greeting_does_not_delay_other_pbxes() {
    let pbxes = start_pbxes();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut ports = ports(&pbxes);
    ports[FAULTY] = silent.local_addr().expect("bound").port();
    let bridge = Bridge::start_unready(&configuration(&ports));
    let faulty = format!("pbx{FAULTY}");
    eventually("all other PBXes are ready", || {
        (not_ready(&bridge) == (503, vec![faulty.clone()])).then_some(())
    });
    for round in ["first", "second"] {
        for action in ["action=pause&queue=6001", "action=showstate"] {
            let response = bridge.get(&query(FAULTY, action));
            assert_eq!(response.outcome(), "503 pbx_unavailable", "{action}");
        }
        change_all_others(&bridge, round);
    }
    assert_own_pauses(&pbxes, &["first", "second"]);
    // The bridge is still waiting for the greeting on its first connection.
    assert_eq!(not_ready(&bridge), (503, vec![faulty]));
}
