//! The HTTP layer: routes, methods, limits and headers.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::support::{ACME, API_PATH, Bridge, on_every_pbx, request, start};

on_every_pbx!(
    unknown_routes_get_404_and_unsupported_methods_405,
    responses_have_security_headers_and_a_request_id,
    too_large_and_malformed_requests_are_refused,
    slow_request_body_does_not_count_against_the_action_timeout,
    half_closing_client_gets_its_response,
    pipelined_requests_are_answered_in_order,
    admin_listener_reports_liveness_and_readiness,
    only_configured_origins_get_cors_headers,
);

fn unknown_routes_get_404_and_unsupported_methods_405(version: u32) {
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
    // A GET request can change the PBX. A HEAD request must not, so the bridge refuses it.
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

fn responses_have_security_headers_and_a_request_id(version: u32) {
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
        let id = response
            .header("X-Request-Id")
            .expect("a request id")
            .to_owned();
        assert_eq!(response.json()["request_id"], id);
    }
    let target = format!("{API_PATH}?{login}&action=showqueue");
    let longest = "x".repeat(64);
    let too_long = "x".repeat(65);
    for (client_id, is_adopted) in [
        ("abc.DEF_1-2", true),
        (&longest, true),
        (&too_long, false),
        ("a b", false),
        ("a\u{e9}", false),
        ("", false),
    ] {
        let response = request(
            bridge.address,
            "GET",
            &target,
            &[("X-Request-Id", client_id)],
            b"",
        );
        let id = response.header("X-Request-Id").expect("a request id");
        assert_eq!(id == client_id, is_adopted, "{client_id}");
        assert_eq!(response.json()["request_id"], id);
    }
    let ids: std::collections::HashSet<_> = (0..50)
        .map(|_| bridge.get_as(ACME, "action=fly").json()["request_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 50);
}

fn too_large_and_malformed_requests_are_refused(version: u32) {
    let (_asterisk, bridge) = start(version);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let long_target = format!("{API_PATH}?reason={}", "x".repeat(8 * 1024));
    for (method, target, body, expected) in [
        ("GET", long_target.as_str(), Vec::new(), 414),
        ("GET", &format!("/{}", "x".repeat(60_000)), Vec::new(), 414),
        ("POST", API_PATH, vec![b'x'; 16 * 1024 + 1], 413),
        // The bridge reads a body within the limit, then refuses its content.
        ("POST", API_PATH, vec![b'x'; 16 * 1024], 400),
    ] {
        let response = request(bridge.address, method, target, &form, &body);
        assert_eq!(response.status, expected, "{response:?}");
    }
    // The bridge refuses a malformed or truncated body immediately, without waiting for a
    // timeout.
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
        let response = send_and_half_close(&bridge, &(head + body));
        assert!(
            response.starts_with("HTTP/1.1 400"),
            "{framing}: {response}"
        );
    }
    // If `Content-Length` exceeds the limit, the bridge does not wait for the body.
    let too_long = [form[0], ("Content-Length", "20000")];
    let response = request(bridge.address, "POST", API_PATH, &too_long, b"");
    assert_eq!(response.outcome(), "413 request_too_large");
}

fn slow_request_body_does_not_count_against_the_action_timeout(version: u32) {
    let asterisk = crate::support::Asterisk::start(version);
    let configuration =
        crate::support::configuration(asterisk.port).replace("\"3s\"", "\"1500ms\"");
    let bridge = Bridge::start(&configuration);
    let body = "username=acme%40example.com&password=acme-password&action=pause&agent=1050";
    let mut stream = TcpStream::connect(bridge.address).expect("a connection");
    write!(
        stream,
        "POST {API_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .expect("written");
    // This delay is longer than `action_timeout`.
    std::thread::sleep(std::time::Duration::from_millis(1700));
    stream.write_all(body.as_bytes()).expect("written");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

fn half_closing_client_gets_its_response(version: u32) {
    let (_asterisk, bridge) = start(version);
    let query = "username=globex&password=globex-password&action=showqueue";
    let request =
        format!("GET {API_PATH}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let response = send_and_half_close(&bridge, &request);
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

/// Sends a request, closes the sending side of the connection and returns the response.
fn send_and_half_close(bridge: &Bridge, request: &str) -> String {
    let mut stream = TcpStream::connect(bridge.address).expect("a connection");
    stream.write_all(request.as_bytes()).expect("written");
    stream
        .shutdown(Shutdown::Write)
        .expect("a half-closed connection");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    response
}

fn pipelined_requests_are_answered_in_order(version: u32) {
    let (_asterisk, bridge) = start(version);
    let mut stream = TcpStream::connect(bridge.address).expect("a connection");
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
    let mut responses = String::new();
    stream.read_to_string(&mut responses).expect("responses");
    let ids: Vec<_> = responses
        .lines()
        .filter_map(|line| line.strip_prefix("x-request-id: "))
        .collect();
    let expected: Vec<_> = (0..20).map(|id| format!("p{id}")).collect();
    assert_eq!(ids, expected);
}

fn admin_listener_reports_liveness_and_readiness(version: u32) {
    let (mut asterisk, bridge) = start(version);
    let get = |path: &str| request(bridge.admin, "GET", path, &[], b"");
    assert_eq!(get("/healthz").status, 200);
    assert_eq!(get("/readyz").json()["pbx"]["main"]["state"], "ready");
    assert_eq!(get("/nothing").status, 404);
    assert_eq!(
        request(bridge.admin, "POST", "/readyz", &[], b"").status,
        405
    );
    asterisk.kill();
    crate::support::eventually("/readyz is 503", || {
        (get("/readyz").status == 503).then_some(())
    });
    assert_eq!(get("/healthz").status, 200);
    // The admin listener does not serve the API.
    assert_eq!(get(API_PATH).status, 404);
}

fn only_configured_origins_get_cors_headers(version: u32) {
    let asterisk = crate::support::Asterisk::start(version);
    let origins = "[http]\ncors_origins = [\"https://panel.example.com\"]";
    let configuration = crate::support::configuration(asterisk.port).replace("[http]", origins);
    let bridge = Bridge::start(&configuration);
    let target = format!("{API_PATH}?username=globex&password=globex-password&action=showqueue");
    let listed = ("Origin", "https://panel.example.com");
    let preflight = ("Access-Control-Request-Method", "GET");
    for (method, headers, status, is_allowed) in [
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
        ("OPTIONS", &[listed, preflight], 204, true),
        ("OPTIONS", &[listed], 405, true),
        (
            "OPTIONS",
            &[("Origin", "https://evil.example.com"), preflight],
            405,
            false,
        ),
    ] {
        let response = request(bridge.address, method, &target, headers, b"");
        assert_eq!(response.status, status, "{method} {headers:?}");
        let allow = response.header("Access-Control-Allow-Origin");
        assert_eq!(
            allow,
            is_allowed.then_some(listed.1),
            "{method} {headers:?}"
        );
        assert_eq!(response.header("Vary"), Some("Origin"));
        // A page must send credentials explicitly, in parameters or headers. Browsers must not add
        // stored credentials.
        assert_eq!(response.header("Access-Control-Allow-Credentials"), None);
    }
}
