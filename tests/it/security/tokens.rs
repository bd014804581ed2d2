//! Tokens of programs: which are accepted, and that they appear in no response and no log.

use crate::support::{API_PATH, Bridge, Response, SIMULATED, request, start};

const CHALLENGE: &str = "Bearer realm=\"ami-bridge\"";

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
    ] {
        for path in [API_PATH, "/events"] {
            let target = format!("{path}?{query}");
            let response = request(bridge.address, "GET", &target, &[], b"");
            assert_eq!(response.outcome(), "400 invalid_parameter", "{target}");
            assert!(response.body.contains("Authorization header"), "{target}");
            assert!(!format!("{response:?}").contains("unknown-"), "{target}");
        }
    }
    let log = bridge.log();
    assert!(log.contains("invalid_parameter") && !log.contains("unknown-"));
}
