//! Tokens of programs: which are accepted, and that they appear in no response and no log.

use std::time::Duration;

use ami_bridge::config::load_text;
use ami_bridge::organizations::TokenHash;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::stream::client::{EventClient, Item};
use crate::support::{
    API_PATH, Asterisk, Bridge, Response, SIMULATED, configuration, on_every_pbx, request, start,
};

on_every_pbx!(token_pauses_an_agent);

const EVENT_TIMEOUT: Duration = Duration::from_secs(20);

const CHALLENGE: &str = "Bearer realm=\"ami-bridge\"";

const CRM: &str = "amib_crm-crm-crm-crm-crm-crm-crm-crm-crm-crm-crm";

const FAR: &str = "amib_far-far-far-far-far-far-far-far-far-far-far";

/// A token that no configuration contains.
const UNKNOWN: &str = "amib_unknown-unknown-unknown-unknown-unknown-unkn";

fn get_with(bridge: &Bridge, token: &str, path_and_query: &str) -> Response {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    request(bridge.address, "GET", path_and_query, &headers, b"")
}

#[test]
fn unknown_token_gets_a_bearer_challenge() {
    let (_asterisk, bridge) = start(SIMULATED);
    for target in [&format!("{API_PATH}?action=showqueue"), "/events"] {
        for token in [UNKNOWN, "x"] {
            let response = get_with(&bridge, token, target);
            assert_eq!(response.outcome(), "401 unauthorized", "{target}");
            assert_eq!(response.header("WWW-Authenticate"), Some(CHALLENGE));
            assert_eq!(response.json()["message"], "Unknown or expired token.");
        }
    }
    let log = bridge.log();
    assert!(log.contains("login refused from 127.0.0.1"), "{log}");
    assert!(!log.contains(UNKNOWN));
}

#[test]
fn unknown_token_is_locked_out_by_itself() {
    let (_asterisk, bridge) = start(SIMULATED);
    let target = format!("{API_PATH}?action=showqueue");
    for _ in 0..10 {
        let response = get_with(&bridge, UNKNOWN, &target);
        assert_eq!(response.outcome(), "401 unauthorized");
    }
    let response = get_with(&bridge, UNKNOWN, &target);
    assert_eq!(response.outcome(), "429 too_many_attempts");
    let response = get_with(&bridge, "amib_other", &target);
    assert_eq!(response.outcome(), "401 unauthorized");
    bridge.acme_ok("action=showqueue");
    assert!(!bridge.log().contains("amib_"));
}

#[test]
fn token_beside_other_credentials_is_refused() {
    let (_asterisk, bridge) = start(SIMULATED);
    for query in ["username=x&password=y", "password=y", "username=x"] {
        let target = format!("{API_PATH}?action=showqueue&{query}");
        let response = get_with(&bridge, UNKNOWN, &target);
        assert_eq!(response.outcome(), "400 duplicate_parameter", "{query}");
    }
}

#[test]
fn token_in_an_address_is_refused_without_repeating_it() {
    let (_asterisk, bridge) = start(SIMULATED);
    for query in [
        format!("action=showqueue&username=acme&password={UNKNOWN}"),
        format!("action=showqueue&username={UNKNOWN}&password=x"),
        format!("action=showqueue&token={UNKNOWN}"),
        format!("action=showqueue&access_token=%61mib_{UNKNOWN}"),
        format!("action=showqueue&{UNKNOWN}"),
        format!("action=showqueue&{UNKNOWN}=1"),
        format!("action=showqueue&_={UNKNOWN}"),
        format!("lastEventId={UNKNOWN}"),
        format!("action=showqueue&queue=6001,{UNKNOWN}"),
        format!("action=pause&agent=1001&reason=x%20{UNKNOWN}"),
        format!("action=showqueue&x{UNKNOWN}=1"),
        format!("action=showqueue&{UNKNOWN}%ff=1"),
        format!("action=Bearer%20{UNKNOWN}"),
    ] {
        for path in [API_PATH, "/events", "/"] {
            let target = format!("{path}?{query}");
            let response = request(bridge.address, "GET", &target, &[], b"");
            assert_eq!(response.outcome(), "400 invalid_parameter", "{target}");
            assert!(response.body.contains("Authorization header"), "{target}");
            assert!(!format!("{response:?}").contains("unknown-"), "{target}");
        }
    }
    let headers = [("X-Request-Id", UNKNOWN)];
    let response = request(bridge.address, "GET", API_PATH, &headers, b"");
    assert!(!format!("{response:?}").contains("unknown-"));
    let log = bridge.log();
    assert!(log.contains("invalid_parameter") && !log.contains("unknown-"));
}

/// Returns an entry in the configuration for `token`.
fn entry(organization: &str, name: &str, token: &str, keys: &str) -> String {
    let hash = TokenHash::of(token);
    format!(
        "[[organization.{organization}.token]]\nname = \"{name}\"\ntoken_hash = \"{hash}\"\n{keys}\n"
    )
}

fn in_seconds(seconds: i64) -> String {
    let time = Timestamp::now() + SignedDuration::from_secs(seconds);
    format!("expires = \"{time}\"\n")
}

fn api(query: &str) -> String {
    format!("{API_PATH}?{query}")
}

fn token_pauses_an_agent(version: u32) {
    let asterisk = Asterisk::start(version);
    let keys = "actions = [\"pause\", \"add\"]\nexpires = 2999-12-31T23:00:00+01:00\n";
    let bridge = Bridge::start(&(configuration(asterisk.port) + &entry("acme", "crm", CRM, keys)));
    for query in [
        "action=add&agent=1001&queue=6001",
        "action=pause&agent=1001&reason=Lunch",
    ] {
        assert_eq!(get_with(&bridge, CRM, &api(query)).outcome(), "200 success");
    }
    let member = asterisk.ami().member("acme-6001", "Local/1001@acme-agents");
    assert_eq!(member.expect("a member")["Paused"], "1");
    for (query, expected) in [
        ("action=unpause&agent=1001", "403 forbidden"),
        ("action=pause&agent=2001", "404 unknown_agent"),
    ] {
        assert_eq!(get_with(&bridge, CRM, &api(query)).outcome(), expected);
    }
    let body = get_with(&bridge, CRM, &api("action=whoami")).json();
    assert_eq!(
        (&body["user"], &body["organization"], &body["actions"]),
        (
            &json!("token:crm"),
            &json!("acme"),
            &json!(["pause", "add"])
        )
    );
    assert_eq!(body["expires_at"], "2999-12-31T22:00:00.000Z");
    let log = bridge.log();
    for target in ["\"audit\"", "\"ami_bridge::request\""] {
        let mut lines = log.lines().filter(|line| line.contains(target));
        assert!(
            lines.any(|line| line.contains("\"user\":\"token:crm\"")),
            "{log}"
        );
    }
    assert!(!log.contains(CRM) && !log.contains(&TokenHash::of(CRM).to_string()[7..]));
}

#[test]
fn token_obeys_its_networks_and_limits() {
    let asterisk = Asterisk::start(SIMULATED);
    let tokens = [
        entry(
            "acme",
            "crm",
            CRM,
            "agents = [\"1001\"]\nqueues = [\"6001\"]\n",
        ),
        entry("acme", "far", FAR, "allow_from = [\"192.0.2.0/24\"]\n"),
    ];
    let bridge = Bridge::start(&(configuration(asterisk.port) + &tokens.concat()));
    for agent in ["1001", "1002"] {
        bridge.acme_ok(&format!("action=add&queue=6001,6002&agent={agent}"));
    }
    for (token, query, expected) in [
        (CRM, "action=pause", "200 success"),
        (CRM, "action=pause&agent=1002", "404 unknown_agent"),
        (CRM, "action=pause&queue=6002", "404 unknown_queue"),
        (FAR, "action=showqueue", "403 forbidden"),
    ] {
        let outcome = get_with(&bridge, token, &api(query)).outcome();
        assert_eq!(outcome, expected, "{query}");
    }
}

#[test]
fn expired_token_is_refused_as_an_unknown_one() {
    let asterisk = Asterisk::start(SIMULATED);
    let token = entry("acme", "crm", CRM, &in_seconds(-1));
    let bridge = Bridge::start(&(configuration(asterisk.port) + &token));
    let refusal = |token: &str| {
        let response = get_with(&bridge, token, &api("action=showqueue"));
        let mut body = response.json();
        body["request_id"].take();
        let challenge = response.header("WWW-Authenticate").map(str::to_owned);
        (response.status, challenge, body)
    };
    assert_eq!(refusal(CRM), refusal(UNKNOWN));
    assert_eq!(refusal(CRM).0, 401);
    let log = bridge.log();
    let mut lines = log.lines();
    let refused = |line: &&str| line.contains("login refused") && line.contains("token:crm");
    assert!(lines.any(|line| refused(&line)), "{log}");
}

#[test]
fn stream_of_a_token_ends_when_the_token_expires() {
    let asterisk = Asterisk::start(SIMULATED);
    let with = |keys: &str| configuration(asterisk.port) + &entry("acme", "crm", CRM, keys);
    let bridge = Bridge::start(&with(""));
    // The token must not expire before the stream is open, however long the bridge takes to start.
    bridge.reconfigure(&with(&in_seconds(5)));
    let mut stream = EventClient::with_token(bridge.address, CRM);
    stream.until("snapshot", EVENT_TIMEOUT);
    stream.until("shutdown", EVENT_TIMEOUT);
    assert!(matches!(stream.next(EVENT_TIMEOUT), Some(Item::End)));
    let response = get_with(&bridge, CRM, "/events");
    assert_eq!(response.outcome(), "401 unauthorized");
}

#[test]
fn reload_ends_only_the_streams_of_changed_tokens() {
    let asterisk = Asterisk::start(SIMULATED);
    let base = configuration(asterisk.port);
    let with = |acme_keys: &str, globex: &str| {
        // Tokens of two organizations may have the same name.
        base.clone() + &entry("acme", "crm", CRM, acme_keys) + globex
    };
    let globex = entry("globex", "crm", FAR, "");
    let bridge = Bridge::start(&with("", &globex));
    let open = |token: &str| {
        let mut stream = EventClient::with_token(bridge.address, token);
        stream.until("snapshot", EVENT_TIMEOUT);
        stream
    };
    let (mut acme, mut other) = (open(CRM), open(FAR));
    bridge.reconfigure(&with("actions = [\"events\"]\n", &globex));
    acme.until("shutdown", EVENT_TIMEOUT);
    let mut acme = open(CRM);
    bridge.reconfigure(&with("actions = [\"events\"]\n", ""));
    // The first reload has left the stream open.
    let events = other.until("shutdown", EVENT_TIMEOUT);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        get_with(&bridge, FAR, "/events").outcome(),
        "401 unauthorized"
    );
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    acme.until("member", EVENT_TIMEOUT);
}

/// Returns the mistakes in a configuration with these entries.
fn mistakes(entries: &str) -> String {
    let text = configuration(5038) + entries;
    load_text("t", &text).map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn mistakes_in_tokens_are_reported_without_their_hashes() {
    let crm = entry("acme", "crm", CRM, "");
    let hash = TokenHash::of(CRM).to_string();
    for (entries, expected) in [
        (crm.clone(), ""),
        (crm.clone() + &entry("globex", "crm", FAR, ""), ""),
        (crm.clone() + &in_seconds(-1), ""),
        (
            crm.clone() + &entry("acme", "crm", FAR, ""),
            "organization.acme.token[1].name: is already the name of another token",
        ),
        (
            crm.clone() + &entry("globex", "other", CRM, ""),
            "organization.globex.token[0].token_hash: is already the hash of another token",
        ),
        (
            crm.replace("crm", "a b"),
            "organization.acme.token[0].name: the name must consist of",
        ),
        (
            crm.replace("name", "#name"),
            "organization.acme.token[0].name: is missing",
        ),
        (
            crm.replace("token_hash", "#token_hash"),
            "organization.acme.token[0].token_hash: is missing: see `ami-bridge create-token`",
        ),
        (
            crm.replace(&hash, &hash[7..]),
            "organization.acme.token[0].token_hash: must be sha256: and 64 hex digits",
        ),
        (
            crm.replace(&hash, CRM),
            "organization.acme.token[0].token_hash: must be the token's hash, not the token",
        ),
        (
            crm.clone() + "expires = \"2027-06-30\"\n",
            "organization.acme.token[0].expires: must be a time with its offset",
        ),
        (
            crm.clone() + "expires = 2027-06-30T00:00:00\n",
            "organization.acme.token[0].expires: must be a time with its offset",
        ),
        (
            crm.clone() + "actions = [\"fly\"]\n",
            "organization.acme.token[0].actions: \"fly\" is not one of",
        ),
        (
            crm.clone() + "queues = [\"7001\"]\n",
            "organization.acme.token[0].queues: \"7001\" matches nothing",
        ),
        (
            crm.clone() + "password = \"x\"\n",
            "organization.acme.token[0].password: unknown key",
        ),
        (
            "[[organization.acme.user]]\nusername = \"token:crm\"\npassword = \"x\"\n".to_owned(),
            "organization.acme.user[1].username: must not begin with token:",
        ),
        (
            "[[organization.acme.user]]\nusername = \"x\"\npassword = \"amib_x\"\n".to_owned(),
            "organization.acme.user[1].password: must not begin with amib_",
        ),
    ] {
        let text = mistakes(&entries);
        assert!(text.contains(expected), "{entries}: {text}");
        assert!(text.is_empty() == expected.is_empty(), "{entries}: {text}");
        assert!(expected.is_empty() || text.contains("1 mistake "), "{text}");
        assert!(!text.contains(&hash[7..]) && !text.contains(CRM), "{text}");
    }
}

#[test]
fn organization_needs_a_user_or_a_token() {
    let organization = "[pbx.main]\nusername = \"u\"\nsecret = \"s\"\n[organization.acme]\n\
        queues = [\"6001\"]\nagents = [\"1001\"]\n";
    let error_of = |text: &str| load_text("t", text).expect_err("a mistake").to_string();
    let error = error_of(&format!("{organization}token = 5\n"));
    assert!(error.contains("1 mistake ") && error.contains("organization.acme.token: must be"));
    let error = error_of(organization);
    let expected = "organization.acme.user: is missing: add at least one \
        [[organization.NAME.user]] or [[organization.NAME.token]]";
    assert!(error.contains(expected), "{error}");
    let settings = load_text(
        "t",
        &(organization.to_owned() + &entry("acme", "crm", CRM, "")),
    );
    let settings = format!("{:?}", settings.expect("no mistakes"));
    assert!(
        settings.contains("token:crm") && settings.contains("***"),
        "{settings}"
    );
    assert!(!settings.contains(&TokenHash::of(CRM).to_string()[7..]));
}
