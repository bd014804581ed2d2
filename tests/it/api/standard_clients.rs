//! Features that standard HTTP clients rely on: a challenge before they send credentials, safe
//! `HEAD` and `OPTIONS` requests, and event ids in the query string.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::stream::client::EventClient;
use crate::support::{ACME, API_PATH, Bridge, SIMULATED, configuration, request, start};

const EVENT_TIMEOUT: Duration = Duration::from_secs(20);

const CHALLENGE: &str = "Basic realm=\"ami-bridge\", charset=\"UTF-8\"";

#[test]
fn every_401_has_a_basic_challenge() {
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
    // The bridge checks the parameters before the credentials. A user name without a
    // password, or a password without a user name, is a parameter error.
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

/// A request without credentials is no attempt to guess a password, so it does not count as a
/// failed login.
#[test]
fn requests_without_credentials_do_not_cause_a_lockout() {
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

fn assert_succeeds(bridge: &Bridge, program: &str, arguments: &[&str]) {
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
fn curl_with_anyauth_logs_in() {
    let (_asterisk, bridge) = start(SIMULATED);
    let url = format!("http://{}{API_PATH}", bridge.address);
    let login = ["-s", "--anyauth", "-u", "acme@example.com:acme-password"];
    let query = format!("{url}?action=showqueue");
    assert_succeeds(&bridge, "curl", &[&login[..], &[&query]].concat());
    let post = ["-d", "action=showqueue", &url];
    assert_succeeds(&bridge, "curl", &[&login[..], &post].concat());
}

#[test]
fn python3_with_urllib_logs_in() {
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
    assert_succeeds(&bridge, "python3", &["-c", script, &url]);
}

#[test]
fn head_request_for_a_page_returns_only_headers() {
    let (_asterisk, bridge) = start(SIMULATED);
    for path in ["/", "/panel/board/page.js", "/openapi.json"] {
        let get = request(bridge.address, "GET", path, &[], b"");
        // Reads until the connection closes. No body may follow the head.
        let mut stream = TcpStream::connect(bridge.address).expect("a connection");
        let head = format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("written");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("a response");
        assert!(
            response.starts_with("HTTP/1.1 200 OK\r\n"),
            "{path}: {response}"
        );
        assert!(response.ends_with("\r\n\r\n"), "{path}: {response}");
        let length = format!("content-length: {}\r\n", get.body.len());
        assert!(response.contains(&length), "{path}: {response}");
    }
}

/// Health checks, such as HAProxy's `option httpchk`, send `OPTIONS` requests.
#[test]
fn options_request_for_the_server_returns_the_allowed_methods() {
    let (asterisk, bridge) = start(SIMULATED);
    let without_panel = configuration(asterisk.port).replace("[http]", "[http]\npanel = false");
    let bridge_without_panel = Bridge::start(&without_panel);
    for (bridge, target, methods) in [
        (&bridge, "/", "GET, HEAD, OPTIONS"),
        (&bridge, "*", "GET, HEAD, POST, OPTIONS"),
        (&bridge_without_panel, "/", "OPTIONS"),
    ] {
        let response = request(bridge.address, "OPTIONS", target, &[], b"");
        assert_eq!(
            (response.status, response.header("Allow")),
            (204, Some(methods)),
            "{target}"
        );
        assert_eq!(response.body, "");
    }
    let mut stream = TcpStream::connect(bridge.address).expect("a connection");
    stream
        .write_all(b"OPTIONS / HTTP/1.0\r\n\r\n")
        .expect("written");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    assert!(response.starts_with("HTTP/1.0 204 "), "{response}");
    let response = request(bridge.address, "OPTIONS", API_PATH, &[], b"");
    assert_eq!(response.outcome(), "405 method_not_allowed");
}

#[test]
fn event_id_in_the_query_string_resumes_a_stream() {
    let (_asterisk, bridge) = start(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let mut client = EventClient::open(bridge.address, ACME, "");
    let snapshot = client
        .until("snapshot", EVENT_TIMEOUT)
        .pop()
        .expect("a snapshot");
    bridge.acme_ok("action=pause&agent=1001&queue=6001");
    drop(client);
    let query = format!("&lastEventId={}", snapshot.id);
    let mut client = EventClient::open(bridge.address, ACME, &query);
    let events = client.until("member", EVENT_TIMEOUT);
    assert!(
        events.iter().all(|event| event.name != "snapshot"),
        "{events:?}"
    );
    assert_eq!(events.last().expect("an event").data["change"], "paused");
    // Browsers set the `Last-Event-ID` header themselves, so it is newer than the id in the
    // query string.
    let last_id = events.last().map(|event| event.id.clone());
    let mut client = EventClient::resume(bridge.address, ACME, &query, last_id.as_deref());
    bridge.acme_ok("action=unpause&agent=1001&queue=6001");
    // An event that corrects the time of the pause may precede the unpause.
    loop {
        let change = client
            .until("member", EVENT_TIMEOUT)
            .pop()
            .expect("an event")
            .data["change"]
            .clone();
        assert_ne!(change, "paused", "the client already has the pause");
        if change == "unpaused" {
            break;
        }
    }
    // As in the header, an empty id starts the stream with a snapshot.
    let mut client = EventClient::open(bridge.address, ACME, "&lastEventId=");
    client.until("snapshot", EVENT_TIMEOUT);
    // Only streams support this parameter.
    let outcome = bridge
        .get_as(ACME, "action=showqueue&lastEventId=1")
        .outcome();
    assert_eq!(outcome, "400 unknown_parameter");
}

/// hyper refuses an invalid request target before the bridge can route it.
#[test]
fn invalid_request_target_gets_a_json_error() {
    let (_asterisk, bridge) = start(SIMULATED);
    let login = format!("username={}&password={}", ACME.username, ACME.password);
    let change = format!("GET {API_PATH}?{login}&action=pause&agent=1001&reason=");
    let valid = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
    for (pipelined, reason) in [
        ("", &b"caf\xe9"[..]),
        ("", b"Lunch break"),
        ("", b"a\x01"),
        (valid, b"caf\xe9"),
    ] {
        let request = [
            pipelined.as_bytes(),
            change.as_bytes(),
            reason,
            b" HTTP/1.1\r\nHost: x\r\n\r\n",
        ];
        let mut stream = TcpStream::connect(bridge.address).expect("a connection");
        stream.write_all(&request.concat()).expect("written");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("a response");
        assert_eq!(
            response.matches("HTTP/1.1 200 OK").count(),
            pipelined.len().min(1)
        );
        let start = response
            .find("HTTP/1.1 400 Bad Request\r\n")
            .expect("a 400 response");
        let (head, body) = response[start..]
            .split_once("\r\n\r\n")
            .expect("headers and a body");
        let body: serde_json::Value = serde_json::from_str(body).expect("a JSON body");
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
        // The response repeats no part of the request, so it can't leak a secret.
        assert!(!body.to_string().contains("acme"), "{body}");
    }
    assert_eq!(bridge.sent_count("QueuePause { queue: \"acme"), 0);
}
