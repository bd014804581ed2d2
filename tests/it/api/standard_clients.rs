//! What clients that follow HTTP's rules expect: a challenge before they send
//! credentials, harmless `HEAD` and `OPTIONS`, and event ids in the query.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::stream::client::EventClient;
use crate::support::{ACME, API_PATH, Bridge, SIMULATED, configuration, request, start};

const SOON: Duration = Duration::from_secs(20);

const CHALLENGE: &str = "Basic realm=\"ami-bridge\", charset=\"UTF-8\"";

#[test]
fn a_401_carries_a_challenge() {
    let (_asterisk, bridge) = start(SIMULATED);
    let wrong = "username=acme%40example.com&password=wrong";
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let basic = ("Authorization", "Basic eDp5");
    for (method, target, headers, body) in [
        ("GET", format!("{API_PATH}?action=showqueue"), &[][..], ""),
        ("POST", API_PATH.to_owned(), &[form], "action=showqueue"),
        ("GET", format!("{API_PATH}?{wrong}&action=pause"), &[], ""),
        ("GET", format!("{API_PATH}?action=showqueue"), &[basic], ""),
        ("GET", "/events".to_owned(), &[], ""),
        ("GET", format!("/events?{wrong}"), &[], ""),
        ("GET", "/events".to_owned(), &[basic], ""),
    ] {
        let response = request(bridge.address, method, &target, headers, body.as_bytes());
        assert_eq!(response.outcome(), "401 unauthorized", "{method} {target}");
        assert_eq!(
            response.header("WWW-Authenticate"),
            Some(CHALLENGE),
            "{target}"
        );
    }
    // The form comes first, and half of the credentials is a mistake in it.
    for (query, expected) in [
        ("", "400 missing_parameter"),
        ("action=fly", "400 unknown_action"),
        ("action=showqueue&que=6001", "400 unknown_parameter"),
        ("action=showqueue&username=acme", "400 missing_parameter"),
        ("action=showqueue&password=x", "400 missing_parameter"),
        (
            "action=showqueue&username=&password=",
            "400 missing_parameter",
        ),
    ] {
        let response = bridge.get(query);
        assert_eq!(response.outcome(), expected, "{query}");
        assert_eq!(response.header("WWW-Authenticate"), None, "{query}");
    }
}

/// Whoever asks without credentials has guessed nothing.
#[test]
fn a_request_without_credentials_locks_nobody_out() {
    let (_asterisk, bridge) = start(SIMULATED);
    for _ in 0..30 {
        let outcome = bridge.get("action=showqueue").outcome();
        assert_eq!(outcome, "401 unauthorized");
    }
    bridge.acme_ok("action=showqueue");
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    assert!(metrics.contains("\nami_bridge_failed_logins_total 0\n"));
    assert!(!bridge.log().contains("login refused"));
}

fn succeeds(bridge: &Bridge, program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("\"status\":\"success\""),
        "{program}: {output:?}"
    );
    assert!(!bridge.log().contains("login refused"), "{program}");
}

#[test]
fn curl_with_anyauth_gets_in() {
    let (_asterisk, bridge) = start(SIMULATED);
    let url = format!("http://{}{API_PATH}", bridge.address);
    let login = ["-s", "--anyauth", "-u", "acme@example.com:acme-password"];
    let query = format!("{url}?action=showqueue");
    succeeds(&bridge, "curl", &[&login[..], &[&query]].concat());
    let post = ["-d", "action=showqueue", &url];
    succeeds(&bridge, "curl", &[&login[..], &post].concat());
}

#[test]
fn python3_with_urllib_gets_in() {
    let (_asterisk, bridge) = start(SIMULATED);
    let script = "
import sys, urllib.request as r
passwords = r.HTTPPasswordMgrWithDefaultRealm()
passwords.add_password(None, sys.argv[1], 'acme@example.com', 'acme-password')
opener = r.build_opener(r.HTTPBasicAuthHandler(passwords))
for body in (None, b'action=showqueue'):
    query = '' if body else '?action=showqueue'
    print(opener.open(sys.argv[1] + query, body).read().decode())
";
    let url = format!("http://{}{API_PATH}", bridge.address);
    succeeds(&bridge, "python3", &["-c", script, &url]);
}

#[test]
fn head_of_pages_is_answered() {
    let (_asterisk, bridge) = start(SIMULATED);
    for path in ["/", "/panel/main.js", "/openapi.json"] {
        let get = request(bridge.address, "GET", path, &[], b"");
        // To the end of the connection: nothing may come after the head.
        let mut stream = TcpStream::connect(bridge.address).expect("connected");
        let head = format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n"),
            "{path}: {answer}"
        );
        assert!(answer.ends_with("\r\n\r\n"), "{path}: {answer}");
        let length = format!("content-length: {}\r\n", get.body.len());
        assert!(answer.contains(&length), "{path}: {answer}");
    }
}

/// As HAProxy's `option httpchk` asks, among others.
#[test]
fn options_of_the_server_is_answered() {
    let (asterisk, bridge) = start(SIMULATED);
    let panel = configuration(asterisk.port).replace("[http]", "[http]\npanel = false");
    let plain = Bridge::start(&panel);
    for (bridge, target, methods) in [
        (&bridge, "/", "GET, HEAD, OPTIONS"),
        (&bridge, "*", "GET, HEAD, POST, OPTIONS"),
        (&plain, "/", "OPTIONS"),
    ] {
        let response = request(bridge.address, "OPTIONS", target, &[], b"");
        assert_eq!(
            (response.status, response.header("Allow")),
            (204, Some(methods)),
            "{target}"
        );
        assert_eq!(response.body, "");
    }
    let mut stream = TcpStream::connect(bridge.address).expect("connected");
    stream
        .write_all(b"OPTIONS / HTTP/1.0\r\n\r\n")
        .expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.0 204 "), "{answer}");
    let response = request(bridge.address, "OPTIONS", API_PATH, &[], b"");
    assert_eq!(response.outcome(), "405 method_not_allowed");
}

#[test]
fn an_event_id_in_the_query_resumes_a_stream() {
    let (_asterisk, bridge) = start(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let mut client = EventClient::open(bridge.address, ACME, "");
    let snapshot = client.until("snapshot", SOON).pop().expect("a snapshot");
    bridge.acme_ok("action=pause&agent=1001&queue=6001");
    drop(client);
    let query = format!("&lastEventId={}", snapshot.id);
    let mut client = EventClient::open(bridge.address, ACME, &query);
    let events = client.until("member", SOON);
    assert!(
        events.iter().all(|event| event.name != "snapshot"),
        "{events:?}"
    );
    assert_eq!(events.last().expect("it").data["change"], "paused");
    // The header is the browser's own, and newer.
    let member = events.last().map(|event| event.id.clone());
    let mut client = EventClient::resume(bridge.address, ACME, &query, member.as_deref());
    bridge.acme_ok("action=unpause&agent=1001&queue=6001");
    // The pause may be followed by its own time, as Asterisk has it.
    loop {
        let change = client.until("member", SOON).pop().expect("it").data["change"].clone();
        assert_ne!(change, "paused", "the client had that");
        if change == "unpaused" {
            break;
        }
    }
    // One that says nothing begins with a snapshot, as an id in the header does.
    let mut client = EventClient::open(bridge.address, ACME, "&lastEventId=");
    client.until("snapshot", SOON);
    // Elsewhere it is no parameter.
    let outcome = bridge
        .get_as(ACME, "action=showqueue&lastEventId=1")
        .outcome();
    assert_eq!(outcome, "400 unknown_parameter");
}

/// Targets that are no HTTP: hyper refuses them before any route.
#[test]
fn a_target_that_is_no_http_is_refused_in_words() {
    let (_asterisk, bridge) = start(SIMULATED);
    let login = format!("username={}&password={}", ACME.username, ACME.password);
    let change = format!("GET {API_PATH}?{login}&action=pause&agent=1001&reason=");
    let good = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
    for (before, reason) in [
        ("", &b"caf\xe9"[..]),
        ("", b"Lunch break"),
        ("", b"a\x01"),
        (good, b"caf\xe9"),
    ] {
        let request = [
            before.as_bytes(),
            change.as_bytes(),
            reason,
            b" HTTP/1.1\r\nHost: x\r\n\r\n",
        ];
        let mut stream = TcpStream::connect(bridge.address).expect("connected");
        stream.write_all(&request.concat()).expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert_eq!(
            answer.matches("HTTP/1.1 200 OK").count(),
            before.len().min(1)
        );
        let start = answer
            .find("HTTP/1.1 400 Bad Request\r\n")
            .expect("refused");
        let (head, body) = answer[start..].split_once("\r\n\r\n").expect("a head");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(
            (&body["status"], &body["code"]),
            (&"error".into(), &"invalid_parameter".into())
        );
        let id = body["request_id"].as_str().expect("an id");
        for header in [
            "content-type: application/json; charset=utf-8",
            "cache-control: no-store",
            &format!("x-request-id: {id}"),
        ] {
            assert_eq!(head.matches(header).count(), 1, "{header}: {head}");
        }
        assert_eq!(head.matches("content-length: ").count(), 1, "{head}");
        // No secret, and nothing else of what came.
        assert!(!body.to_string().contains("acme"), "{body}");
    }
    assert_eq!(bridge.sent_count("QueuePause { queue: \"acme"), 0);
}
