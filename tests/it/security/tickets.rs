//! Requests that a ticket does not allow: refused and repeated uses, and tickets of changed
//! accounts.

use std::time::Duration;

use ami_bridge::organizations::TokenHash;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::stream::client::EventClient;
use crate::stream::tickets::{
    BEARER_CHALLENGE, FORM, TICKET_PATH, assert_is_used, refused, request_ticket, stream_status,
    ticket, with_user,
};
use crate::support::{
    ACME, Asterisk, Bridge, GLOBEX, SIMULATED, User, configuration, request, start,
};

const EVENT_TIMEOUT: Duration = Duration::from_secs(20);

const TOKEN: &str = "amib_page-page-page-page-page-page-page-page-pag";

/// A user of acme, who may not open event streams.
const READER: User = User {
    username: "reader",
    password: "reader-password",
};

#[test]
fn refused_ticket_request_gets_an_error_response() {
    let asterisk = Asterisk::start(SIMULATED);
    let configuration = configuration(asterisk.port).replace(
        "[http]",
        "[lockout]\nattempts = 2\n[http]\nunknown_parameters = \"reject\"",
    );
    let reader = with_user(&configuration, READER, "actions = [\"showqueue\"]");
    let bridge = Bridge::start(&reader);
    let login = "username=acme%40example.com&password=acme-password";
    let with_login = |rest: &str| format!("{login}{rest}");
    let json = ("Content-Type", "application/json");
    let long = "x".repeat(17 * 1024);
    for (headers, body, expected) in [
        (&[FORM][..], String::new(), "401 unauthorized"),
        (&[], String::new(), "401 unauthorized"),
        (&[FORM], "username=x".into(), "400 missing_parameter"),
        (&[FORM], with_login("&queue=6001"), "400 invalid_parameter"),
        (&[FORM], with_login("&agent=1001"), "400 invalid_parameter"),
        (
            &[FORM],
            with_login("&action=pause"),
            "400 unknown_parameter",
        ),
        (&[FORM], with_login("&ticket=x"), "400 unknown_parameter"),
        (
            &[FORM],
            with_login("&lastEventId=1"),
            "400 unknown_parameter",
        ),
        (
            &[FORM],
            with_login("&password=x"),
            "400 duplicate_parameter",
        ),
        (&[FORM], with_login("&_=%ff"), "200 success"),
        (
            &[FORM],
            "username=%0a&password=x".into(),
            "400 invalid_parameter",
        ),
        (&[json], "{}".into(), "415 unsupported_media_type"),
        (&[json], String::new(), "415 unsupported_media_type"),
        (&[], with_login(""), "415 unsupported_media_type"),
        (&[FORM], long, "413 request_too_large"),
        (
            &[FORM],
            "username=reader&password=reader-password".into(),
            "403 forbidden",
        ),
        (
            &[FORM],
            "username=globex&password=x".into(),
            "401 unauthorized",
        ),
        (
            &[FORM],
            "username=globex&password=x".into(),
            "401 unauthorized",
        ),
        (
            &[FORM],
            "username=globex&password=globex-password".into(),
            "429 too_many_attempts",
        ),
    ] {
        let response = request(
            bridge.address,
            "POST",
            TICKET_PATH,
            headers,
            body.as_bytes(),
        );
        let shown = &body[..body.len().min(80)];
        assert_eq!(response.outcome(), expected, "{headers:?} {shown}");
        let challenge = response.header("WWW-Authenticate");
        let is_basic = challenge.is_some_and(|challenge| challenge.starts_with("Basic "));
        assert_eq!(is_basic, response.status == 401, "{challenge:?}");
    }
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let target = format!("{TICKET_PATH}?{login}");
        let response = request(bridge.address, method, &target, &[], b"");
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.header("Allow"), Some("POST"), "{method}");
    }
    // What narrows other requests is refused even if the bridge ignores unknown parameters.
    bridge.reconfigure(&reader.replace("\"reject\"", "\"ignore\""));
    for (rest, expected) in [
        ("&queue=6001", "400 invalid_parameter"),
        ("&agent=1001", "400 invalid_parameter"),
        ("&que=6001", "200 success"),
    ] {
        let body = with_login(rest);
        let response = request(
            bridge.address,
            "POST",
            TICKET_PATH,
            &[FORM],
            body.as_bytes(),
        );
        assert_eq!(response.outcome(), expected, "{rest}");
    }
}

#[test]
fn ticket_is_used_up_by_the_first_request_that_gets_past_the_form() {
    let (_asterisk, bridge) = start(SIMULATED);
    let ticket = ticket(&bridge, ACME);
    let basic = ("Authorization", "Basic eDp5");
    for (query, headers, expected) in [
        ("&username=x", &[][..], "400 duplicate_parameter"),
        ("&password=x", &[], "400 duplicate_parameter"),
        ("&username=acme&password=x", &[], "400 duplicate_parameter"),
        ("", &[basic], "400 duplicate_parameter"),
        ("&ticket=x", &[], "400 duplicate_parameter"),
        ("&que=6001", &[], "400 unknown_parameter"),
        ("&queue=%0a", &[], "400 invalid_parameter"),
    ] {
        let response = refused(&bridge, &format!("ticket={ticket}{query}"), headers);
        assert_eq!(response.outcome(), expected, "{query}");
        assert_eq!(response.header("WWW-Authenticate"), None);
        if !["&que=6001", "&queue=%0a"].contains(&query) {
            assert_eq!(response.json()["parameter"], "ticket");
        }
    }
    for method in ["HEAD", "POST", "PUT"] {
        let target = format!("/events?ticket={ticket}");
        let response = request(bridge.address, method, &target, &[], b"");
        assert_eq!(response.status, 405, "{method}");
    }
    let at_endpoint = bridge.get(&format!("ticket={ticket}&action=showqueue"));
    assert_eq!(at_endpoint.outcome(), "400 unknown_parameter");
    let first = format!("ticket={ticket}&queue=6009");
    assert_eq!(refused(&bridge, &first, &[]).outcome(), "404 unknown_queue");
    assert_is_used(&bridge, &ticket);
}

#[test]
fn unknown_tickets_get_a_401_and_no_lockout() {
    let (_asterisk, bridge) = start(SIMULATED);
    let long = "A".repeat(4000);
    let unknown = ["", "undefined", "%C3%A9", &"A".repeat(43), &long];
    for ticket in unknown.iter().cycle().take(30) {
        assert_is_used(&bridge, ticket);
    }
    for malformed in ["a%0ab", "a%00", "%ff", "%zz", "+a"] {
        let response = refused(&bridge, &format!("ticket={malformed}"), &[]);
        assert_eq!(response.outcome(), "400 invalid_parameter", "{malformed}");
    }
    bridge.acme_ok("action=showqueue");
    assert_eq!(request_ticket(&bridge, ACME).status, 200);
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    assert!(metrics.contains("\nami_bridge_failed_logins_total 0\n"));
    assert!(!bridge.log().contains("login refused"));
}

#[test]
fn networks_are_checked_again_for_the_stream() {
    let asterisk = Asterisk::start(SIMULATED);
    let password = "password = \"acme-password\"";
    let networks = format!("{password}\nallow_from = [\"192.0.2.0/24\"]");
    let configuration = configuration(asterisk.port)
        .replace(password, &networks)
        .replace("[http]", "[http]\ntrusted_proxies = [\"127.0.0.1\"]");
    let bridge = Bridge::start(&configuration);
    let login = b"username=acme%40example.com&password=acme-password";
    let from = |address| [("X-Forwarded-For", address), FORM];
    let request_from = |address| {
        let headers = from(address);
        request(bridge.address, "POST", TICKET_PATH, &headers, login)
    };
    assert_eq!(request_from("203.0.113.1").outcome(), "403 forbidden");
    let ticket = request_from("192.0.2.1").json()["ticket"].clone();
    let query = format!("ticket={}", ticket.as_str().expect("text"));
    let elsewhere = refused(&bridge, &query, &from("203.0.113.1"));
    assert_eq!(elsewhere.outcome(), "403 forbidden");
    let again = refused(&bridge, &query, &from("192.0.2.1"));
    assert_eq!(again.outcome(), "401 unauthorized");
}

#[test]
fn reload_ends_only_the_tickets_of_changed_accounts() {
    let (asterisk, bridge) = start(SIMULATED);
    let original = configuration(asterisk.port);
    let [unchanged, changed, later] = [GLOBEX, ACME, ACME].map(|user| ticket(&bridge, user));
    bridge.reconfigure(&original.replace(
        "action_timeout",
        "resync_interval = \"50s\"\naction_timeout",
    ));
    assert_eq!(stream_status(&bridge, &format!("ticket={later}")), 200);
    bridge.reconfigure(&original.replace("acme-password", "another"));
    assert_is_used(&bridge, &changed);
    assert_eq!(stream_status(&bridge, &format!("ticket={unchanged}")), 200);
    // The entry is as before, but the ticket belongs to the old one.
    bridge.reconfigure(&original);
    assert_is_used(&bridge, &changed);
    let removed = ticket(&bridge, ACME);
    bridge.reconfigure(&original.replace("acme@example.com", "renamed"));
    assert_is_used(&bridge, &removed);
}

/// Adds a token to the organization acme.
fn with_token(configuration: &str, keys: &str) -> String {
    let hash = TokenHash::of(TOKEN);
    format!(
        "{configuration}\n[[organization.acme.token]]\nname = \"page\"\n\
         token_hash = \"{hash}\"\n{keys}\n"
    )
}

fn ticket_of_the_token(bridge: &Bridge) -> String {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("Authorization", bearer.as_str())];
    let response = request(bridge.address, "POST", TICKET_PATH, &headers, b"");
    assert_eq!(response.status, 200, "{response:?}");
    response.json()["ticket"].as_str().expect("text").to_owned()
}

#[test]
fn tickets_of_a_token_end_with_the_token() {
    let asterisk = Asterisk::start(SIMULATED);
    let base = configuration(asterisk.port);
    let bridge = Bridge::start(&with_token(&base, ""));
    // The token must not expire before the stream is open, however long the bridge takes to start.
    let expires = Timestamp::now() + SignedDuration::from_secs(5);
    bridge.reconfigure(&with_token(&base, &format!("expires = \"{expires}\"")));
    let [used, late] = [(); 2].map(|()| ticket_of_the_token(&bridge));
    let mut stream = EventClient::with_ticket(bridge.address, &used, "&queue=6001");
    stream.until("snapshot", EVENT_TIMEOUT);
    stream.until("shutdown", EVENT_TIMEOUT);
    assert_is_used(&bridge, &late);
    bridge.reconfigure(&with_token(&base, ""));
    let [changed, unknown] = [(); 2].map(|()| ticket_of_the_token(&bridge));
    bridge.reconfigure(&with_token(&base, "queues = [\"6001\"]"));
    assert_is_used(&bridge, &changed);
    bridge.reconfigure(&base);
    assert_is_used(&bridge, &unknown);
    let log = bridge.log();
    let is_ticket_line = |line: &&str| line.contains("\"action\":\"ticket\"");
    let lines: Vec<_> = log.lines().filter(is_ticket_line).collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines
            .iter()
            .all(|line| line.contains("\"user\":\"token:page\""))
    );
    assert!(!log.contains(TOKEN));
    // A refused token gets its own challenge.
    let headers = [("Authorization", "Bearer amib_unknown")];
    let response = request(bridge.address, "POST", TICKET_PATH, &headers, b"");
    assert_eq!(response.outcome(), "401 unauthorized");
    assert_eq!(response.header("WWW-Authenticate"), Some(BEARER_CHALLENGE));
}

#[test]
fn log_and_metrics_contain_no_ticket() {
    let (_asterisk, bridge) = start(SIMULATED);
    let [used, unused] = [ACME, ACME].map(|user| ticket(&bridge, user));
    let unknown = "guessed-by-someone";
    assert_eq!(stream_status(&bridge, &format!("ticket={used}")), 200);
    assert_is_used(&bridge, &used);
    assert_is_used(&bridge, unknown);
    bridge.get(&format!("ticket={unused}&action=showqueue"));
    refused(&bridge, &format!("ticket={unused}&username=x"), &[]);
    refused(&bridge, &format!("ticket={unknown}%0a"), &[]);
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let (_, log) = bridge.stop();
    assert!(log.contains("\"TRACE\""), "the log has no trace lines");
    for secret in [&used, &unused, unknown] {
        assert!(!log.contains(secret), "{secret} is in the log");
        assert!(!metrics.contains(secret), "{secret} is in the metrics");
    }
    let lines = log.lines().map(serde_json::from_str::<Value>);
    let lines: Vec<Value> = lines.filter_map(Result::ok).collect();
    let requests = lines.iter().filter(|line| line["message"] == "request");
    let fields = requests.map(|line| ["action", "user", "outcome"].map(|name| line[name].clone()));
    let acme = "acme@example.com";
    let expected = [
        ["ticket", acme, "success"],
        ["ticket", acme, "success"],
        ["events", acme, "success"],
        ["events", "", "unauthorized"],
        ["events", "", "unauthorized"],
        ["", "", "unknown_parameter"],
        ["", "", "duplicate_parameter"],
        ["", "", "invalid_parameter"],
    ];
    let expected = expected.map(|fields| {
        fields.map(|field| match field {
            "" => Value::Null,
            field => field.into(),
        })
    });
    assert_eq!(fields.collect::<Vec<_>>(), expected);
}
