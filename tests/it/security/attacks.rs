//! Hostile requests, with and without valid credentials. They must not affect the PBX's
//! members, its `queue_log` or the actions that the bridge sends.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    ACME, API_PATH, Asterisk, Bridge, configuration, eventually, on_both_versions, request, start,
};

on_both_versions!(
    parameters_cannot_inject_lines_or_interfaces,
    unusual_names_and_reasons_survive_an_app_queue_reload,
    unknown_user_takes_as_long_as_a_wrong_password,
);

/// Bytes that end a line, header, string or field in some format, in every encoding that a
/// decoder might accept.
const ESCAPES: [&str; 22] = [
    "%0d%0aAction:%20Originate%0d%0aChannel:%20Local/911@evil",
    "%0aAction:%20Originate",
    "%0dAction:%20Originate",
    "%0d%0a%0d%0aAction:%20Command",
    "%00",
    "%00%0d%0a",
    "%1b[2J",
    "%7f",
    "%08",
    "%09x",
    "%c0%8a",
    "%c0%8d%c0%8a",
    "%e0%80%8a",
    "%f0%80%80%8a",
    "%ed%a0%80",
    "%ff%fe",
    "%25%",
    "%u000a",
    "%0",
    "|Local/911@evil;0;0",
    ",Local/911@evil",
    ";0;0",
];

/// Agent or queue numbers that try to change the interface's technology, context, trunk or
/// template.
const NUMBERS: [&str; 16] = [
    "trunk/0900123456",
    "1001@evil",
    "1001@evil/n",
    "1001%40evil",
    "1001%2f..%2f2001",
    "../1001",
    "%26Local/911@evil",
    "1001%26PJSIP/911",
    "hint:1001",
    "${EXTEN}",
    "$(id)",
    "1001%20",
    "%201001",
    "%EF%BC%91001",
    "1001%E2%80%8B",
    "-1001",
];

/// Returns the members of every queue, with all fields that a change can affect, and the
/// `queue_log`.
fn pbx_state(asterisk: &Asterisk) -> (BTreeSet<String>, String) {
    let mut ami = asterisk.ami();
    let mut members = BTreeSet::new();
    for queue in ["acme-6001", "acme-6002", "globex-6001", "globex-6002"] {
        for row in ami.members(queue) {
            let fields = [
                "Name",
                "Location",
                "StateInterface",
                "Penalty",
                "Paused",
                "PausedReason",
            ];
            let fields = fields.map(|field| row[field].as_str());
            members.insert(format!("{queue} {fields:?}"));
        }
    }
    (members, asterisk.queue_log())
}

fn parameters_cannot_inject_lines_or_interfaces(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana&paused=1&reason=Lunch");
    let before = pbx_state(&asterisk);
    let mut attacks = 0;
    for action in [
        "pause",
        "unpause",
        "add",
        "remove",
        "showqueue",
        "showstate",
    ] {
        for (name, valid) in [
            ("agent", "1001"),
            ("queue", "6001"),
            ("reason", "x"),
            ("alias", "x"),
            ("penalty", "0"),
            ("paused", "0"),
        ] {
            let numbers: &[&str] = match name {
                "agent" | "queue" => &NUMBERS,
                _ => &[],
            };
            let other_parameters = ["agent=1001", "queue=6001"];
            let other_parameters = other_parameters
                .iter()
                .filter(|parameter| !parameter.starts_with(name));
            let other_parameters: Vec<_> = other_parameters.copied().collect();
            for attack in ESCAPES.iter().chain(numbers) {
                for value in [format!("{valid}{attack}"), (*attack).to_owned()] {
                    let query = format!(
                        "action={action}&{name}={value}&{}",
                        other_parameters.join("&")
                    );
                    let response = bridge.get_as(ACME, &query);
                    // These actions ignore the parameter, so no value can do harm.
                    let is_ignored = match (action, name) {
                        ("pause" | "unpause", "alias" | "penalty" | "paused") => true,
                        ("remove", "reason" | "alias" | "penalty" | "paused") => true,
                        ("showqueue" | "showstate", name) => name != "agent" && name != "queue",
                        _ => false,
                    };
                    if !is_ignored {
                        assert!(
                            [400, 404].contains(&response.status),
                            "{query}: {response:?}"
                        );
                        attacks += 1;
                    }
                }
            }
        }
    }
    println!("{attacks} attacks on Asterisk {version}");
    assert!(attacks > 500, "{attacks}");
    let after = pbx_state(&asterisk);
    // Requests with ignored parameters may have changed agent 1001, but no other agent.
    let unexpected: Vec<_> = after
        .0
        .symmetric_difference(&before.0)
        .filter(|m| !m.contains("1001"))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    assert_eq!(
        bridge.sent_count("QueueAdd"),
        1,
        "only the first request adds an agent"
    );
    let log = bridge.log();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let sent = lines.filter(|line| line["message"] == "sent");
    let sent: Vec<_> = sent.map(|line| line["action"].to_string()).collect();
    assert!(sent.len() > 2);
    for marker in ["evil", "/911", "Originate", "0900123456"] {
        assert!(!after.1.contains(marker), "{marker} is in queue_log");
        assert!(
            sent.iter().all(|action| !action.contains(marker)),
            "{marker} was sent"
        );
    }
}

/// Dangerous-looking but allowed names and reasons are unchanged after Asterisk has reloaded
/// its members from its database.
fn unusual_names_and_reasons_survive_an_app_queue_reload(version: u32) {
    let (asterisk, bridge) = start(version);
    let texts = [
        "Dana \"D\" O'Brien",
        "<img src=x onerror=alert(1)>",
        "${EXTEN} $(id) `id`",
        "a\\b\\\\c\\",
        "=1+1",
        "דנה כהן",
        "\u{200f}rtl\u{202e}override",
        "😀😀😀",
        "null",
        "0",
    ];
    for (agent, text) in (1001..).zip(texts) {
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        bridge.acme_ok(&format!(
            "action=add&agent={agent}&queue=6001&alias={encoded}&paused=1&reason={encoded}"
        ));
    }
    for attack in ["x|Local/911@evil;0;0", "Doe, John", "a;b"] {
        let encoded: String = attack.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for query in [
            format!("action=pause&agent=1001&queue=6001&reason={encoded}"),
            format!("action=add&agent=1040&queue=6001&alias={encoded}"),
        ] {
            assert_eq!(
                bridge.get_as(ACME, &query).outcome(),
                "400 invalid_parameter"
            );
        }
    }
    let before = pbx_state(&asterisk).0;
    assert_eq!(before.len(), texts.len() + 1);
    // Asterisk refuses to unload the module while an action runs.
    eventually("app_queue is unloaded", || {
        let output = asterisk.cli("module unload app_queue.so");
        output.contains("Unloaded").then_some(())
    });
    asterisk.cli("module load app_queue.so");
    eventually("the queues are available again", || {
        (bridge.get_as(ACME, "action=showqueue").status == 200).then_some(())
    });
    assert_eq!(pbx_state(&asterisk).0, before);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn unknown_user_takes_as_long_as_a_wrong_password(version: u32) {
    let asterisk = Asterisk::start(version);
    let without_lockout =
        configuration(asterisk.port).replace("[http]", "[lockout]\nattempts = 1000\n[http]");
    let sample = include_str!("../../../asterisk-sample/ami-bridge.toml");
    let hash = sample
        .lines()
        .find(|line| line.starts_with("password_hash"));
    let hashed = without_lockout.replace("password = \"globex-password\"", hash.expect("a hash"));
    assert_ne!(hashed, without_lockout);
    for (password_key, configuration) in [("password", without_lockout), ("password_hash", hashed)]
    {
        assert_equal_times(version, password_key, &Bridge::start(&configuration));
    }
}

fn assert_equal_times(version: u32, password_key: &str, bridge: &Bridge) {
    let time = |username: &str, guess: u32| {
        let started = Instant::now();
        let query = format!("username={username}&password=g{guess}&action=showqueue");
        assert_eq!(bridge.get(&query).status, 401);
        started.elapsed()
    };
    let (mut unknown, mut wrong) = (Vec::new(), Vec::new());
    for guess in 0..30 {
        unknown.push(time("nobody", guess));
        wrong.push(time("globex", guess));
    }
    let (unknown, wrong) = (median(unknown), median(wrong));
    let ratio = unknown.as_secs_f64() / wrong.as_secs_f64();
    println!("unknown user / wrong {password_key} on Asterisk {version}: {ratio:.2}");
    // If the bridge did not check a dummy password for unknown users, the ratio would be 1/50 or
    // less.
    assert!((0.5..2.0).contains(&ratio), "{unknown:?} {wrong:?}");
}

#[test]
fn endless_request_head_times_out_asterisk_22() {
    let (_asterisk, bridge) = start(22);
    let mut stream = TcpStream::connect(bridge.address).expect("a connection");
    let timeout = Some(Duration::from_millis(500));
    stream.set_read_timeout(timeout).expect("a read timeout");
    write!(stream, "GET {API_PATH} HTTP/1.1\r\n").expect("a writable stream");
    let started = Instant::now();
    let mut response = [0; 256];
    // Sends a header line every half second until the bridge closes the connection.
    while write!(stream, "X: y\r\n").is_ok() {
        match stream.read(&mut response) {
            Ok(count) => {
                assert!(!response[..count].starts_with(b"HTTP/1.1 200"));
                break;
            }
            Err(_) => assert!(
                started.elapsed() < Duration::from_secs(45),
                "the connection is still open"
            ),
        }
    }
    let elapsed = started.elapsed();
    assert!(
        elapsed >= Duration::from_secs(25),
        "a slow client is disconnected too early: {elapsed:?}"
    );
    bridge.acme_ok("action=showqueue");
}

#[test]
fn missing_request_body_times_out_asterisk_22() {
    let (_asterisk, bridge) = start(22);
    let started = Instant::now();
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Length", "100"),
    ];
    let response = request(bridge.address, "POST", API_PATH, &headers, b"");
    assert_eq!(response.outcome(), "408 request_timeout");
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    bridge.acme_ok("action=showqueue");
}
