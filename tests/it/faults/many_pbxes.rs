//! Many PBXes in one process: what one of them does is nothing to the others.
//!
//! Asserted is an order, not a speed: while requests to the dead one are still under
//! way, rounds of requests to all others come to their end.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::TcpListener;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::{
    API_PATH, Asterisk, Bridge, KeepAliveConnection, SIMULATED, eventually, request,
};

const PBXES: usize = 50;

/// The one that is not well; neither the first nor the last.
const DEAD: usize = 7;

/// Clients of the others.
const CLIENTS: usize = 4;

/// Changes that wait for the dead one.
const WAITING: usize = 8;

/// An organization and a user for each PBX. Their queues and agents have the same
/// names everywhere: what goes astray is taken by the PBX that it comes to.
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

/// Clients change and read every PBX but the dead one, and see each change done.
fn round(bridge: &Bridge, name: &str) {
    let ask_those = |client: usize| {
        let mut connection = KeepAliveConnection::new(bridge.address);
        let mut ask = |pbx, action: &str| {
            let target = format!("{API_PATH}?{}", query(pbx, action));
            let answer = connection.get(&target).expect("an answer").json();
            assert_eq!(answer["status"], "success", "{pbx}, {action}: {answer}");
            answer
        };
        for pbx in (client..PBXES).step_by(CLIENTS).filter(|pbx| *pbx != DEAD) {
            let reason = reason(pbx, name);
            let add = format!("action=add&queue=6001&paused=1&reason={reason}-added");
            ask(pbx, &add);
            ask(pbx, &format!("action=pause&reason={reason}"));
            assert_eq!(ask(pbx, "action=showstate")["reason"], *reason);
            ask(pbx, "action=remove&queue=6001");
        }
    };
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || ask_those(client));
        }
    });
}

fn reason(pbx: usize, round: &str) -> String {
    format!("{round}-of-{pbx}")
}

/// Each PBX has had its own pauses, and no others.
fn assert_own_pauses(pbxes: &[Asterisk], rounds: &[&str]) {
    for (number, pbx) in pbxes.iter().enumerate().filter(|(n, _)| *n != DEAD) {
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

/// The status of `/readyz`, and the PBXes that it does not call ready.
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

/// It has been linked, takes what it is sent, and says nothing more: the worst kind,
/// since nobody can know yet that it is dead.
#[test]
fn one_that_freezes_slows_no_other() {
    let pbxes = start_pbxes();
    let bridge = Bridge::start(&configuration(&ports(&pbxes)));
    assert_eq!(not_ready(&bridge), (200, vec![]));
    pbxes[DEAD].freeze();
    std::thread::scope(|scope| {
        let wait = || bridge.get(&query(DEAD, "action=pause&queue=6001&reason=dead"));
        let waiting: Vec<_> = (0..WAITING).map(|_| scope.spawn(wait)).collect();
        eventually("the dead one is asked", || {
            (bridge.sent_count("QueuePause { queue: \"acme") == WAITING).then_some(())
        });
        for name in ["first", "second", "third"] {
            round(&bridge, name);
        }
        let answered = waiting.iter().filter(|request| request.is_finished());
        assert_eq!(answered.count(), 0, "the others have waited");
        for request in waiting {
            let answer = request.join().expect("an answer");
            assert_eq!(answer.outcome(), "504 outcome_unknown");
        }
    });
    assert_own_pauses(&pbxes, &["first", "second", "third"]);
}

/// What PBXes are given for their figures is given to all at once: several that are
/// silent cost no more than one.
#[test]
fn a_scrape_asks_all_at_once() {
    let pbxes = start_pbxes();
    let bridge = Bridge::start(&configuration(&ports(&pbxes)));
    for pbx in &pbxes[..SILENT] {
        pbx.freeze();
    }
    let (first, last) = eventually("all are asked in one scrape", || {
        let before = asked_for_metrics(&bridge.log()).len();
        let text = request(bridge.admin, "GET", "/metrics", &[], b"").body;
        // Four queues each, and a scrape in which none was late.
        let told = text.matches("ami_bridge_queue_completed{").count();
        if told < 4 * (PBXES - SILENT) {
            return None;
        }
        let asked = asked_for_metrics(&bridge.log()).split_off(before);
        let pbxes: BTreeSet<_> = asked.iter().map(|(pbx, _)| pbx).collect();
        (pbxes.len() == PBXES).then(|| (asked[0].1, asked[asked.len() - 1].1))
    });
    let spread = last.duration_since(first).as_secs_f64();
    // One after the other, the last would be asked when two had had two seconds each.
    assert!(spread < 4.0, "{spread} s");
}

/// How many are silent, of which each is waited for.
const SILENT: usize = 3;

/// Which PBX was asked for a scrape, and when.
fn asked_for_metrics(log: &str) -> Vec<(String, Timestamp)> {
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

/// It takes connections, and never says a word.
#[test]
fn one_that_never_speaks_slows_no_other() {
    let pbxes = start_pbxes();
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut ports = ports(&pbxes);
    ports[DEAD] = mute.local_addr().expect("bound").port();
    let bridge = Bridge::start_unready(&configuration(&ports));
    let dead = format!("pbx{DEAD}");
    eventually("all others are ready", || {
        (not_ready(&bridge) == (503, vec![dead.clone()])).then_some(())
    });
    for name in ["first", "second"] {
        for action in ["action=pause&queue=6001", "action=showstate"] {
            let answer = bridge.get(&query(DEAD, action));
            assert_eq!(answer.outcome(), "503 pbx_unavailable", "{action}");
        }
        round(&bridge, name);
    }
    assert_own_pauses(&pbxes, &["first", "second"]);
    // Its first connection still waits for a greeting.
    assert_eq!(not_ready(&bridge), (503, vec![dead]));
}
