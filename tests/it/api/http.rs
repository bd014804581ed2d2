//! The HTTP side: routes, methods, limits, headers.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::support::{ACME, API_PATH, Bridge, on_every_pbx, request, start};

on_every_pbx!(
    routes_and_methods_are_told_apart,
    answers_carry_their_headers,
    too_large_requests_are_refused,
    a_slow_client_does_not_use_up_the_time_of_the_pbx,
    a_client_that_half_closes_gets_its_answer,
    connections_are_kept_and_pipelined,
    the_admin_listener_tells_the_state,
    only_listed_origins_may_call_from_a_browser,
);

fn routes_and_methods_are_told_apart(version: u32) {
    let (_asterisk, bridge) = start(version);
    let query = "?username=acme%40example.com&password=acme-password&action=showqueue";
    for (method, path, expected) in [
        ("GET", API_PATH, "200 success"),
        ("GET", "/API/updateagentstate.php", "404 not_found"),
        ("GET", "/API/UpdateAgentState.php/", "404 not_found"),
        ("GET", "/API//UpdateAgentState.php", "404 not_found"),
        ("GET", "/nothing", "404 not_found"),
        ("PUT", API_PATH, "405 method_not_allowed"),
        ("DELETE", API_PATH, "405 method_not_allowed"),
        ("PATCH", API_PATH, "405 method_not_allowed"),
        ("BREW", API_PATH, "405 method_not_allowed"),
    ] {
        let response = request(bridge.address, method, &format!("{path}{query}"), &[], b"");
        assert_eq!(response.outcome(), expected, "{method} {path}");
        let allow = (expected.starts_with("405")).then_some("GET, POST");
        assert_eq!(response.header("Allow"), allow);
    }
    // A GET here can change things, so a HEAD is no harmless question.
    let head = request(
        bridge.address,
        "HEAD",
        &format!("{API_PATH}{query}"),
        &[],
        b"",
    );
    assert_eq!(
        (head.status, head.header("Allow")),
        (405, Some("GET, POST"))
    );
}

fn answers_carry_their_headers(version: u32) {
    let (_asterisk, bridge) = start(version);
    let login = "username=acme%40example.com&password=acme-password";
    for target in [
        format!("{API_PATH}?{login}&action=showqueue"),
        format!("{API_PATH}?{login}&action=fly"),
        "/nothing".to_owned(),
    ] {
        let response = request(bridge.address, "GET", &target, &[], b"");
        for (name, value) in [
            ("Content-Type", "application/json; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
        ] {
            assert_eq!(response.header(name), Some(value), "{target}");
        }
        let id = response.header("X-Request-Id").expect("an id").to_owned();
        assert_eq!(response.json()["request_id"], id);
    }
    let target = format!("{API_PATH}?{login}&action=showqueue");
    let long = "x".repeat(64);
    let too_long = "x".repeat(65);
    for (given, kept) in [
        ("abc.DEF_1-2", true),
        (&long, true),
        (&too_long, false),
        ("a b", false),
        ("a\u{e9}", false),
        ("", false),
    ] {
        let response = request(
            bridge.address,
            "GET",
            &target,
            &[("X-Request-Id", given)],
            b"",
        );
        let id = response.header("X-Request-Id").expect("an id");
        assert_eq!(id == given, kept, "{given}");
        assert_eq!(response.json()["request_id"], id);
    }
    let ids: std::collections::HashSet<_> = (0..50)
        .map(|_| bridge.get_as(ACME, "action=fly").json()["request_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 50);
}

fn too_large_requests_are_refused(version: u32) {
    let (_asterisk, bridge) = start(version);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let long_target = format!("{API_PATH}?reason={}", "x".repeat(8 * 1024));
    for (method, target, body, expected) in [
        ("GET", long_target.as_str(), Vec::new(), 414),
        ("GET", &format!("/{}", "x".repeat(60_000)), Vec::new(), 414),
        ("POST", API_PATH, vec![b'x'; 16 * 1024 + 1], 413),
        // Within the limit it is read, and then refused for what it says.
        ("POST", API_PATH, vec![b'x'; 16 * 1024], 400),
    ] {
        let response = request(bridge.address, method, target, &form, &body);
        assert_eq!(response.status, expected, "{response:?}");
    }
    // One that is broken, or breaks off, is no slow one.
    for (framing, body) in [
        (
            "Transfer-Encoding: chunked",
            "zz\r\naction=pause\r\n0\r\n\r\n",
        ),
        ("Content-Length: 20", "action=pause"),
    ] {
        let (name, value) = form[0];
        let head =
            format!("POST {API_PATH} HTTP/1.1\r\nHost: x\r\n{name}: {value}\r\n{framing}\r\n\r\n");
        let answer = half_closed(&bridge, &(head + body));
        assert!(answer.starts_with("HTTP/1.1 400"), "{framing}: {answer}");
    }
    // A body of a length that is told is not waited for.
    let told = [form[0], ("Content-Length", "20000")];
    let response = request(bridge.address, "POST", API_PATH, &told, b"");
    assert_eq!(response.outcome(), "413 request_too_large");
}

fn a_slow_client_does_not_use_up_the_time_of_the_pbx(version: u32) {
    let asterisk = crate::support::Asterisk::start(version);
    let configuration =
        crate::support::configuration(asterisk.port).replace("\"3s\"", "\"1500ms\"");
    let bridge = Bridge::start(&configuration);
    let body = "username=acme%40example.com&password=acme-password&action=pause&agent=1050";
    let mut stream = TcpStream::connect(bridge.address).expect("connected");
    write!(
        stream,
        "POST {API_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .expect("written");
    // Longer than the PBX may take.
    std::thread::sleep(std::time::Duration::from_millis(1700));
    stream.write_all(body.as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn a_client_that_half_closes_gets_its_answer(version: u32) {
    let (_asterisk, bridge) = start(version);
    let query = "username=globex&password=globex-password&action=showqueue";
    let sent = format!("GET {API_PATH}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let answer = half_closed(&bridge, &sent);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// The answer to a client that closes its sending side behind what it sends.
fn half_closed(bridge: &Bridge, sent: &str) -> String {
    let mut stream = TcpStream::connect(bridge.address).expect("connected");
    stream.write_all(sent.as_bytes()).expect("written");
    stream.shutdown(Shutdown::Write).expect("half closed");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn connections_are_kept_and_pipelined(version: u32) {
    let (_asterisk, bridge) = start(version);
    let mut stream = TcpStream::connect(bridge.address).expect("connected");
    for id in 0..20 {
        let last = if id == 19 {
            "Connection: close\r\n"
        } else {
            ""
        };
        write!(
            stream,
            "GET {API_PATH}?username=globex&password=globex-password&action=showqueue HTTP/1.1\r\n\
             Host: x\r\nX-Request-Id: p{id}\r\n{last}\r\n"
        )
        .expect("written");
    }
    let mut answers = String::new();
    stream.read_to_string(&mut answers).expect("answers");
    let ids: Vec<_> = answers
        .lines()
        .filter_map(|line| line.strip_prefix("x-request-id: "))
        .collect();
    let expected: Vec<_> = (0..20).map(|id| format!("p{id}")).collect();
    assert_eq!(ids, expected);
}

fn the_admin_listener_tells_the_state(version: u32) {
    let (mut asterisk, bridge) = start(version);
    let ask = |path: &str| request(bridge.admin, "GET", path, &[], b"");
    assert_eq!(ask("/healthz").status, 200);
    assert_eq!(ask("/readyz").json()["pbx"]["main"]["state"], "ready");
    assert_eq!(ask("/nothing").status, 404);
    assert_eq!(
        request(bridge.admin, "POST", "/readyz", &[], b"").status,
        405
    );
    asterisk.kill();
    crate::support::eventually("not ready", || (ask("/readyz").status == 503).then_some(()));
    assert_eq!(ask("/healthz").status, 200);
    // It is no way into the interface.
    assert_eq!(ask(API_PATH).status, 404);
}

fn only_listed_origins_may_call_from_a_browser(version: u32) {
    let asterisk = crate::support::Asterisk::start(version);
    let origins = "[http]\ncors_origins = [\"https://panel.example.com\"]";
    let configuration = crate::support::configuration(asterisk.port).replace("[http]", origins);
    let bridge = Bridge::start(&configuration);
    let target = format!("{API_PATH}?username=globex&password=globex-password&action=showqueue");
    let listed = ("Origin", "https://panel.example.com");
    let asks = ("Access-Control-Request-Method", "GET");
    for (method, headers, status, allowed) in [
        ("GET", &[listed][..], 200, true),
        ("GET", &[("Origin", "https://evil.example.com")], 200, false),
        (
            "GET",
            &[("Origin", "https://panel.example.com.evil.com")],
            200,
            false,
        ),
        ("GET", &[("Origin", "null")], 200, false),
        ("GET", &[], 200, false),
        ("OPTIONS", &[listed, asks], 204, true),
        ("OPTIONS", &[listed], 405, true),
        (
            "OPTIONS",
            &[("Origin", "https://evil.example.com"), asks],
            405,
            false,
        ),
    ] {
        let response = request(bridge.address, method, &target, headers, b"");
        assert_eq!(response.status, status, "{method} {headers:?}");
        let allow = response.header("Access-Control-Allow-Origin");
        assert_eq!(allow, allowed.then_some(listed.1), "{method} {headers:?}");
        assert_eq!(response.header("Vary"), Some("Origin"));
        // Credentials come as parameters or headers of the page's own, never from
        // the browser's store.
        assert_eq!(response.header("Access-Control-Allow-Credentials"), None);
    }
}
