//! Tickets: each opens one event stream, without credentials in its address.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::client::EventClient;
use crate::api::openapi::{Schema, contract};
use crate::support::{
    ACME, Asterisk, Bridge, Response, SIMULATED, User, configuration, on_every_pbx, request, start,
};

on_every_pbx!(ticket_opens_one_stream_with_the_limits_of_its_user);

const EVENT_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) const TICKET_PATH: &str = "/events/ticket";

pub(crate) const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

pub(crate) const BEARER_CHALLENGE: &str = "Bearer realm=\"ami-bridge\"";

/// A user of acme, who is limited to one agent and one queue.
const DANA: User = User {
    username: "dana",
    password: "dana-password",
};

pub(crate) fn with_user(configuration: &str, user: User, keys: &str) -> String {
    let User { username, password } = user;
    format!(
        "{configuration}\n[[organization.acme.user]]\nusername = \"{username}\"\n\
         password = \"{password}\"\n{keys}\n"
    )
}

pub(crate) fn request_ticket(bridge: &Bridge, user: User) -> Response {
    let User { username, password } = user;
    let form = format!("username={username}&password={password}");
    request(
        bridge.address,
        "POST",
        TICKET_PATH,
        &[FORM],
        form.as_bytes(),
    )
}

pub(crate) fn ticket(bridge: &Bridge, user: User) -> String {
    let response = request_ticket(bridge, user);
    assert_eq!(response.status, 200, "{response:?}");
    response.json()["ticket"].as_str().expect("text").to_owned()
}

/// Requests a stream that the bridge refuses.
pub(crate) fn refused(bridge: &Bridge, query: &str, headers: &[(&str, &str)]) -> Response {
    request(
        bridge.address,
        "GET",
        &format!("/events?{query}"),
        headers,
        b"",
    )
}

/// Requests a stream, and returns only the status. The stream ends immediately.
pub(crate) fn stream_status(bridge: &Bridge, query: &str) -> u16 {
    let mut stream = TcpStream::connect(bridge.address).expect("the bridge listens");
    write!(
        stream,
        "GET /events?{query} HTTP/1.1\r\nHost: bridge\r\n\r\n"
    )
    .expect("written");
    let mut line = String::new();
    let read = BufReader::new(stream).read_line(&mut line);
    read.expect("a response");
    let status = line.split(' ').nth(1).and_then(|text| text.parse().ok());
    status.expect("a status")
}

pub(crate) fn assert_is_used(bridge: &Bridge, ticket: &str) {
    let response = refused(bridge, &format!("ticket={ticket}"), &[]);
    assert_eq!(response.outcome(), "401 unauthorized");
    assert_eq!(response.header("WWW-Authenticate"), Some(BEARER_CHALLENGE));
}

fn ticket_opens_one_stream_with_the_limits_of_its_user(version: u32) {
    let asterisk = Asterisk::start(version);
    let limits = "agents = [\"1001\"]\nqueues = [\"6001\"]";
    let bridge = Bridge::start(&with_user(&configuration(asterisk.port), DANA, limits));
    for agent in ["1001", "1002"] {
        bridge.acme_ok(&format!("action=add&agent={agent}&queue=6001,6002"));
    }
    let used = ticket(&bridge, DANA);
    let mut client = EventClient::with_ticket(bridge.address, &used, "");
    let events = client.until("snapshot", EVENT_TIMEOUT);
    let queues = &events[0].data["queues"];
    assert_eq!(queues.as_array().map(Vec::len), Some(1), "{queues}");
    assert_eq!(queues[0]["members"].as_array().map(Vec::len), Some(1));
    assert_eq!(queues[0]["members"][0]["agent"], "1001");
    assert_eq!(queues[0]["members_hidden"], 1);
    assert_is_used(&bridge, &used);
    bridge.acme_ok("action=pause&agent=1002");
    bridge.acme_ok("action=pause&agent=1001");
    let events = client.until("member", EVENT_TIMEOUT);
    let member = &events.last().expect("an event").data["member"];
    assert_eq!(member["agent"], "1001");
    assert_is_used(&bridge, &used);
    let other_queue = format!("ticket={}&queue=6002", ticket(&bridge, DANA));
    assert_eq!(
        refused(&bridge, &other_queue, &[]).outcome(),
        "404 unknown_queue"
    );
}

#[test]
fn ticket_response_matches_the_contract() {
    let asterisk = Asterisk::start(SIMULATED);
    let cors = "[http]\ncors_origins = [\"https://panel.example.com\"]";
    let bridge = Bridge::start(&configuration(asterisk.port).replace("[http]", cors));
    let credentials = BASE64_STANDARD.encode("acme@example.com:acme-password");
    let basic = format!("Basic {credentials}");
    let basic = ("Authorization", basic.as_str());
    let login = "username=acme%40example.com&password=acme-password";
    let document = contract(&bridge);
    let origin = ("Origin", "https://panel.example.com");
    let id = ("X-Request-Id", "page-1");
    let in_query = format!("{TICKET_PATH}?{login}&_=1");
    let mut tickets = Vec::new();
    for (target, headers, body) in [
        (TICKET_PATH, &[FORM, origin, id][..], login),
        (TICKET_PATH, &[basic, FORM, origin, id], "_=1"),
        (TICKET_PATH, &[basic, origin, id], ""),
        (&in_query, &[origin, id], ""),
    ] {
        let response = request(bridge.address, "POST", target, headers, body.as_bytes());
        let json = response.json();
        Schema::named(&document, "Ticket").assert_describes(&json, target);
        assert_eq!(json["status"], "success");
        assert_eq!(json["expires_in_seconds"], 30);
        for (name, value) in [
            ("Content-Type", "application/json; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-Id", "page-1"),
            ("Access-Control-Allow-Origin", "https://panel.example.com"),
        ] {
            assert_eq!(response.header(name), Some(value));
        }
        let ticket = json["ticket"].as_str().expect("text").to_owned();
        assert!(!tickets.contains(&ticket));
        assert_eq!(stream_status(&bridge, &format!("ticket={ticket}")), 200);
        tickets.push(ticket);
    }
}

#[test]
fn parallel_uses_of_a_ticket_open_one_stream() {
    let (_asterisk, bridge) = start(SIMULATED);
    for _ in 0..10 {
        let query = format!("ticket={}", ticket(&bridge, ACME));
        let statuses = std::thread::scope(|scope| {
            let uses: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| stream_status(&bridge, &query)))
                .collect();
            let statuses = uses
                .into_iter()
                .map(|using| using.join().expect("a status"));
            statuses.collect::<Vec<_>>()
        });
        let opened = statuses.iter().filter(|status| **status == 200).count();
        let refused = statuses.iter().filter(|status| **status == 401).count();
        assert_eq!((opened, refused), (1, 7), "{statuses:?}");
    }
}

#[test]
fn many_pages_of_one_account_get_a_ticket_each() {
    let (_asterisk, bridge) = start(SIMULATED);
    let tickets: Vec<_> = (0..200).map(|_| ticket(&bridge, ACME)).collect();
    for ticket in &tickets {
        assert_eq!(stream_status(&bridge, &format!("ticket={ticket}")), 200);
    }
}

#[test]
fn client_with_a_new_ticket_resumes_its_stream() {
    let (_asterisk, bridge) = start(SIMULATED);
    let first = ticket(&bridge, ACME);
    let mut client = EventClient::with_ticket(bridge.address, &first, "&queue=6001");
    let id = client.until("snapshot", EVENT_TIMEOUT).remove(0).id;
    drop(client);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let query = format!("&queue=6001&lastEventId={id}");
    let mut client = EventClient::with_ticket(bridge.address, &ticket(&bridge, ACME), &query);
    let event = client.event(EVENT_TIMEOUT).expect("the missed change");
    assert_eq!(
        (&*event.name, &event.data["change"]),
        ("member", &"added".into())
    );
}
