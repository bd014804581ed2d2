//! The catalog of reasons: `showreasons`, and which reasons and durations are refused.

use serde_json::{Value, json};

use super::{LUNCH_SECONDS, REASONS, Scene, interface, log_rows, parse_time};
use crate::support::{
    ACME, Asterisk, Bridge, Reason, configuration, eventually, on_every_pbx, with_acme_keys,
    with_reasons,
};

on_every_pbx!(
    showreasons_lists_the_reasons_in_configured_order,
    refused_reasons_and_durations_name_the_parameter_and_change_nothing,
    parameters_are_checked_before_agents_and_queues,
    reasons_are_compared_without_case_and_sent_as_configured,
    response_has_the_promised_end_of_each_row,
    duration_is_ignored_if_nothing_is_paused,
    required_reason_applies_to_pauses_only,
    other_reasons_can_be_refused,
);

/// Names whose other case is not ASCII, and in Greek has two small letters for one capital.
const UNICODE_REASONS: [Reason; 2] = [
    Reason {
        name: "Équipe",
        limit: None,
        ends: false,
    },
    Reason {
        name: "Διάλειμμα",
        limit: None,
        ends: false,
    },
];

/// Percent-encodes a value for a query string.
fn encode(text: &str) -> String {
    let bytes = text.bytes();
    bytes.map(|byte| format!("%{byte:02X}")).collect()
}

/// Starts a bridge without a state directory, with keys for acme and [`REASONS`].
fn start(version: u32, keys: &str) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let text = with_acme_keys(&configuration(asterisk.port), keys);
    let bridge = Bridge::start(&with_reasons(&text, &REASONS));
    (asterisk, bridge)
}

/// Asserts that a request gets this outcome. Returns the body.
fn assert_outcome(bridge: &Bridge, query: &str, expected: &str) -> Value {
    let response = bridge.get_as(ACME, query);
    assert_eq!(response.outcome(), expected, "{query}: {response:?}");
    response.json()
}

/// Asserts that a request is refused because of `parameter`. Returns the message.
fn assert_refused(bridge: &Bridge, query: &str, code: &str, parameter: &str) -> String {
    let body = assert_outcome(bridge, query, &format!("400 {code}"));
    assert_eq!(body["parameter"], parameter, "{query}: {body}");
    body["message"].as_str().expect("a message").to_owned()
}

fn showreasons_lists_the_reasons_in_configured_order(version: u32) {
    let (_asterisk, bridge) = start(version, "reason_required = true");
    let body = bridge.acme_ok("action=ShowReasons");
    let request_id = &body["request_id"];
    assert_eq!(
        body,
        json!({
            "status": "success", "action": "showreasons", "request_id": request_id,
            "reason_required": true, "other_reasons": true,
            "reasons": [
                {"reason": "Lunch", "limit_seconds": LUNCH_SECONDS, "ends": true},
                {"reason": "Break", "limit_seconds": 1, "ends": false},
                {"reason": "Back office", "limit_seconds": null, "ends": false},
            ],
        })
    );
    for parameter in ["agent=1001", "queue=6001", "queue=9999"] {
        let (name, _) = parameter.split_once('=').expect("a parameter");
        let query = format!("action=showreasons&{parameter}");
        assert_refused(&bridge, &query, "invalid_parameter", name);
    }
}

#[test]
fn showreasons_needs_no_pbx_but_an_entry_in_actions() {
    let text = with_reasons(&configuration(1), &REASONS);
    let bridge = Bridge::start_unready(&text);
    let body = bridge.acme_ok("action=showreasons");
    assert_eq!(body["reasons"].as_array().map(Vec::len), Some(3), "{body}");
    assert_eq!(body["reason_required"], false, "the default: {body}");
    assert_eq!(body["other_reasons"], true, "the default: {body}");

    let password = "password = \"acme-password\"\n";
    let limited = format!("{password}actions = [\"pause\", \"showstate\"]\n");
    let bridge = Bridge::start_unready(&text.replace(password, &limited));
    assert_outcome(&bridge, "action=showreasons", "403 forbidden");
}

fn refused_reasons_and_durations_name_the_parameter_and_change_nothing(version: u32) {
    let (asterisk, bridge) = start(version, "");
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    asterisk.take_queue_log();
    for duration in [
        "0",
        "86401",
        "-1",
        "1.5",
        "%2B5",
        "1e3",
        "5s",
        "%205",
        "ten",
        "4294967297",
        "18446744073709551617",
    ] {
        for action in ["pause&queue=6001", "pause", "add&queue=6002&paused=1"] {
            let query = format!("action={action}&agent=1001&duration={duration}");
            assert_refused(&bridge, &query, "invalid_parameter", "duration");
        }
    }
    // The limit of a reason that ends is the longest duration.
    let longer = format!(
        "action=pause&agent=1001&reason=LUNCH&duration={}",
        LUNCH_SECONDS + 1
    );
    assert_refused(&bridge, &longer, "invalid_parameter", "duration");
    let query = "action=pause&agent=1001&duration=5&duration=6";
    assert_refused(&bridge, query, "duplicate_parameter", "duration");
    let query = "action=pause&agent=1001&keep_existing=maybe";
    assert_refused(&bridge, query, "invalid_parameter", "keep_existing");
    let log = asterisk.queue_log();
    assert!(
        !log.contains("PAUSE"),
        "refused pauses reached Asterisk: {log}"
    );

    for (query, seconds) in [
        ("duration=1", 1),
        ("duration=86400", 86400),
        ("reason=lunch", LUNCH_SECONDS),
        ("reason=Lunch&duration=1", 1),
        // The limit of a reason that does not end is no limit for the duration.
        ("reason=Break&duration=3600", 3600),
        ("reason=Unlisted&duration=3600", 3600),
    ] {
        let before = jiff::Timestamp::now();
        let body = bridge.acme_ok(&format!("action=pause&agent=1001&queue=6001&{query}"));
        let end = parse_time(&body["queues"][0]["ends_at"]);
        let after = jiff::Timestamp::now();
        let seconds = jiff::SignedDuration::from_secs(seconds);
        // Times in responses may be cut to milliseconds.
        let earliest = before + seconds - jiff::SignedDuration::from_millis(1);
        assert!(
            (earliest..=after + seconds).contains(&end),
            "{query}: ends_at must be {seconds} after the request, between {before} and {after}: \
             {body}"
        );
    }
    for query in ["", "reason=Break", "reason=Unlisted"] {
        let body = bridge.acme_ok(&format!("action=pause&agent=1001&queue=6001&{query}"));
        let row = &body["queues"][0];
        let end = row.get("ends_at").cloned().unwrap_or_default();
        assert!(end.is_null(), "{query}: nothing ends this pause: {body}");
    }
}

fn parameters_are_checked_before_agents_and_queues(version: u32) {
    let (_asterisk, bridge) = start(version, "other_reasons = false");
    for target in ["agent=2001", "agent=1001&queue=9999", "agent=1001"] {
        let pause = format!("action=pause&{target}");
        let query = format!("{pause}&duration=0");
        assert_refused(&bridge, &query, "invalid_parameter", "duration");
        let query = format!("{pause}&reason=Unlisted");
        assert_refused(&bridge, &query, "invalid_parameter", "reason");
    }
    // A user's right comes first.
    let response =
        bridge.get("username=acme%40example.com&password=wrong&action=pause&agent=1001&duration=0");
    assert_eq!(response.outcome(), "401 unauthorized");
    for (target, expected) in [
        ("agent=2001", "404 unknown_agent"),
        ("agent=1001&queue=9999", "404 unknown_queue"),
        ("agent=1001", "404 not_a_member"),
    ] {
        let query = format!("action=pause&{target}&reason=Lunch&duration=1");
        assert_outcome(&bridge, &query, expected);
    }
}

/// Returns the reason of the agent's pause in Asterisk.
fn reason_in_asterisk(asterisk: &Asterisk) -> String {
    let mut ami = asterisk.ami();
    let row = ami.member("acme-6001", &interface(1001));
    row.expect("a member")["PausedReason"].clone()
}

fn reasons_are_compared_without_case_and_sent_as_configured(version: u32) {
    let asterisk = Asterisk::start(version);
    let text = with_reasons(&configuration(asterisk.port), &REASONS);
    let bridge = Bridge::start(&with_reasons(&text, &UNICODE_REASONS));
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    for (given, expected) in [
        ("bREAK", "Break"),
        ("BACK OFFICE", "Back office"),
        ("équipe", "Équipe"),
        ("ÉQUIPE", "Équipe"),
        ("ΔΙΆΛΕΙΜΜΑ", "Διάλειμμα"),
        // These are not listed.
        ("Backoffice", "Backoffice"),
        ("équipes", "équipes"),
    ] {
        let query = format!(
            "action=pause&agent=1001&queue=6001&reason={}",
            encode(given)
        );
        let body = bridge.acme_ok(&query);
        assert_eq!(body["reason"], expected, "the response to {given}");
        assert_eq!(
            reason_in_asterisk(&asterisk),
            expected,
            "Asterisk, given {given}"
        );
        let state = bridge.acme_ok("action=showstate&agent=1001");
        assert_eq!(state["reason"], expected, "showstate, given {given}");
    }
}

fn response_has_the_promised_end_of_each_row(version: u32) {
    let mut scene = Scene::start(version, &[]);
    let bridge = scene.bridge();
    for queue in ["6001", "6002"] {
        bridge.acme_ok(&format!("action=add&agent=1001&queue={queue}"));
    }
    let body = bridge.acme_ok("action=pause&agent=1001&reason=Tea&duration=600");
    let rows = body["queues"].as_array().expect("rows");
    assert_eq!(rows.len(), 2, "{body}");
    let assert_shown = |bridge: &Bridge, when: &str| {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        let shown = state["queues"].as_array().expect("queues");
        for (row, member) in rows.iter().zip(shown) {
            assert_eq!(
                parse_time(&row["ends_at"]),
                parse_time(&member["pause_ends_at"]),
                "{when}: ends_at of {row} must be pause_ends_at of {member}"
            );
        }
        assert_eq!(
            state["pause_ends_at"], rows[0]["ends_at"],
            "{when}: {state}"
        );
    };
    assert_shown(bridge, "after the response");
    bridge.acme_ok("action=showqueue&fresh=1");
    assert_shown(bridge, "after a fresh read");
    scene.kill_bridge();
    scene.restart_bridge();
    eventually(
        "the bridge has read the ends from its state directory",
        || {
            let state = scene.bridge().acme_ok("action=showstate&agent=1001");
            let mut shown = state["queues"].as_array().expect("queues").iter();
            let is_read = shown.all(|member| member["pause_ends_at"].is_string());
            is_read.then_some(())
        },
    );
    assert_shown(scene.bridge(), "after a restart of the bridge");
    // A row that fails has no end.
    let query = "action=pause&agent=1001&queue=6001,9999&duration=600";
    let body = scene.bridge().acme_ok(query);
    assert_eq!(body["status"], "partial", "{body}");
    assert!(body["queues"][0]["ends_at"].is_string(), "{body}");
    assert_eq!(body["queues"][1].get("ends_at"), None, "{body}");
}

fn duration_is_ignored_if_nothing_is_paused(version: u32) {
    let (asterisk, bridge) = start(version, "");
    for query in [
        "action=add&agent=1001&queue=6001&duration=5",
        "action=add&agent=1002&queue=6001&duration=5&paused=0&reason=Lunch",
        "action=unpause&agent=1001&queue=6001&duration=5",
        "action=showstate&agent=1001&duration=5",
    ] {
        let body = bridge.acme_ok(query);
        let row = &body["queues"][0];
        assert_eq!(row.get("ends_at"), None, "{query}: {body}");
    }
    assert!(log_rows(&asterisk, "acme-6001", 1002).is_empty());
}

fn required_reason_applies_to_pauses_only(version: u32) {
    let (_asterisk, bridge) = start(version, "reason_required = true");
    for query in [
        "action=pause&agent=1001&queue=6001",
        "action=pause&agent=1001&duration=5",
        "action=pause&agent=1001&reason=",
        "action=add&agent=1001&queue=6001&paused=1",
        // Reasons are checked before agents and queues.
        "action=pause&agent=2001",
    ] {
        assert_refused(&bridge, query, "missing_parameter", "reason");
    }
    for query in [
        "action=add&agent=1001&queue=6001",
        "action=pause&agent=1001&reason=Anything",
        "action=unpause&agent=1001",
        "action=add&agent=1002&queue=6001&paused=1&reason=Lunch",
    ] {
        assert_outcome(&bridge, query, "200 success");
    }
}

fn other_reasons_can_be_refused(version: u32) {
    let (_asterisk, bridge) = start(version, "other_reasons = false");
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    for query in [
        "action=pause&agent=1001&reason=Nap",
        "action=pause&agent=1001&reason=Lunches",
        "action=add&agent=1002&queue=6001&paused=1&reason=Nap",
    ] {
        let message = assert_refused(&bridge, query, "invalid_parameter", "reason");
        for reason in REASONS {
            assert!(
                message.contains(reason.name),
                "{query}: the message must list {}: {message}",
                reason.name
            );
        }
    }
    for query in [
        "action=pause&agent=1001&reason=lunch",
        // Without `reason_required`, no reason is needed.
        "action=pause&agent=1001",
        // An unpause is not bound by the list.
        "action=unpause&agent=1001&reason=Nap",
        "action=add&agent=1002&queue=6001&reason=Nap",
    ] {
        assert_outcome(&bridge, query, "200 success");
    }
}
