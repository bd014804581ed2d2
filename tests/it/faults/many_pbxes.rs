//! Many PBXes in one process. A fault in one does not affect the others.
//!
//! The tests assert an order, not a speed: requests to all other PBXes complete while
//! requests to the faulty one are still in progress.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::TcpListener;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::{
    API_PATH, Asterisk, Bridge, KeepAliveConnection, SIMULATED, eventually, request,
};

const PBXES: usize = 50;

/// The faulty PBX. It is neither the first nor the last.
const FAULTY: usize = 7;

/// The number of clients of the other PBXes.
const CLIENTS: usize = 4;

/// The number of changes that wait for the faulty PBX.
const WAITING_CHANGES: usize = 8;

/// A configuration with an organization and a user for each PBX. Queues and agents have the
/// same names on every PBX, so a PBX executes a change that reaches it by mistake, and the
/// test sees it.
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

/// Changes and reads every PBX except the faulty one. Asserts that each change succeeds.
fn change_all_others(bridge: &Bridge, name: &str) {
    let run_client = |client: usize| {
        let mut connection = KeepAliveConnection::new(bridge.address);
        let mut get = |pbx, action: &str| {
            let target = format!("{API_PATH}?{}", query(pbx, action));
            let answer = connection.get(&target).expect("an answer").json();
            assert_eq!(answer["status"], "success", "{pbx}, {action}: {answer}");
            answer
        };
        for pbx in (client..PBXES)
            .step_by(CLIENTS)
            .filter(|pbx| *pbx != FAULTY)
        {
            let reason = reason(pbx, name);
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

fn reason(pbx: usize, round: &str) -> String {
    format!("{round}-of-{pbx}")
}

/// Asserts that each PBX has executed its own pauses and no others.
fn assert_own_pauses(pbxes: &[Asterisk], rounds: &[&str]) {
    for (number, pbx) in pbxes.iter().enumerate().filter(|(n, _)| *n != FAULTY) {
        let log = pbx.queue_log();
        let pauses = log.lines().filter(|line| line.contains("|PAUSE|"));
        let reasons: BTreeSet<_> = pauses.filter_map(|line| line.rsplit('|').next()).collect();
        let own = rounds.iter().map(|round| reason(number, round));
        let added = |reason: &String| [reason.clone(), format!("{reason}-added")];
        let own: BTreeSet<_> = own.flat_map(|reason| added(&reason)).collect();
        let logged: BTreeSet<_> = reasons.into_iter().map(str::to_owned).collect();
        assert!(logged.is_subset(&own), "{number}: {logged:?}");
        assert!(rounds.iter().all(|r| logged.contains(&reason(number, r))));
    }
}

/// The HTTP status of `/readyz`, and the names of the PBXes that are not ready.
fn not_ready(bridge: &Bridge) -> (u16, Vec<String>) {
    let response = request(bridge.admin, "GET", "/readyz", &[], b"");
    let json = response.json();
    let pbxes = json["pbx"].as_object().expect("PBXes").iter();
    let missing = pbxes.filter(|(_, pbx): &(_, &Value)| pbx["state"] != "ready");
    (
        response.status,
        missing.map(|(name, _)| name.clone()).collect(),
    )
}

/// The faulty PBX accepts data but no longer answers. This is the worst fault, because the
/// bridge can't detect it immediately.
#[test]
fn frozen_pbx_does_not_delay_other_pbxes() {
    let pbxes = start_pbxes();
    let bridge = Bridge::start(&configuration(&ports(&pbxes)));
    assert_eq!(not_ready(&bridge), (200, vec![]));
    pbxes[FAULTY].freeze();
    std::thread::scope(|scope| {
        let wait = || bridge.get(&query(FAULTY, "action=pause&queue=6001&reason=faulty"));
        let waiting: Vec<_> = (0..WAITING_CHANGES).map(|_| scope.spawn(wait)).collect();
        eventually("the faulty PBX has got all changes", || {
            (bridge.sent_count("QueuePause { queue: \"acme") == WAITING_CHANGES).then_some(())
        });
        for name in ["first", "second", "third"] {
            change_all_others(&bridge, name);
        }
        let answered = waiting.iter().filter(|request| request.is_finished());
        assert_eq!(answered.count(), 0, "the other PBXes were delayed");
        for request in waiting {
            let answer = request.join().expect("an answer");
            assert_eq!(answer.outcome(), "504 outcome_unknown");
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
        // Each PBX has four queues. Only a scrape in which all other PBXes answered counts.
        let reported = text.matches("ami_bridge_queue_completed{").count();
        if reported < 4 * (PBXES - SILENT_PBXES) {
            return None;
        }
        let asked = metrics_queries(&bridge.log()).split_off(before);
        let pbxes: BTreeSet<_> = asked.iter().map(|(pbx, _)| pbx).collect();
        (pbxes.len() == PBXES).then(|| (asked[0].1, asked[asked.len() - 1].1))
    });
    let spread = last.duration_since(first).as_secs_f64();
    // With sequential queries, the last would be sent after two timeouts of 2 s each.
    assert!(spread < 4.0, "{spread} s");
}

/// The number of silent PBXes. The scrape waits for each of them.
const SILENT_PBXES: usize = 3;

/// The PBX and the time of each query that a scrape sent.
fn metrics_queries(log: &str) -> Vec<(String, Timestamp)> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let asked =
        lines.filter(|line: &Value| line["message"] == "sent" && line["request_id"] == "metrics");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let at = |line: &Value| text(&line["timestamp"]).parse().expect("a time");
    asked
        .map(|line| (text(&line["spans"][0]["pbx"]), at(&line)))
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
    eventually("all others are ready", || {
        (not_ready(&bridge) == (503, vec![faulty.clone()])).then_some(())
    });
    for name in ["first", "second"] {
        for action in ["action=pause&queue=6001", "action=showstate"] {
            let answer = bridge.get(&query(FAULTY, action));
            assert_eq!(answer.outcome(), "503 pbx_unavailable", "{action}");
        }
        change_all_others(&bridge, name);
    }
    assert_own_pauses(&pbxes, &["first", "second"]);
    // The first connection still waits for the greeting.
    assert_eq!(not_ready(&bridge), (503, vec![faulty]));
}
