//! What a member and the statistics say of limits, ends and the beginning of a state, in reads
//! and on the stream.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{LUNCH_SECONDS, MAX_DELAY, Scene, interface, parse_time};
use crate::stream::client::{Event, EventClient};
use crate::support::{ACME, Bridge, eventually, on_every_pbx, organization};

on_every_pbx!(
    limit_is_shown_and_reported_when_it_is_reached,
    limit_of_an_ending_reason_is_the_end,
    unpaused_member_has_no_limit_and_no_end,
    state_since_is_known_only_for_what_the_bridge_has_seen,
    limits_of_a_reload_apply_to_standing_pauses,
    automatic_pause_is_shown,
);

mod real {
    use super::{
        missed_call_is_shown_as_an_automatic_pause, pause_of_another_session_has_the_limit,
    };
    crate::support::on_both_versions!(
        missed_call_is_shown_as_an_automatic_pause,
        pause_of_another_session_has_the_limit,
    );
}

/// Returns agent 1001 in queue 6001.
fn member(bridge: &Bridge) -> Value {
    let body = bridge.acme_ok("action=showstate&agent=1001&queue=6001");
    body["queues"][0].clone()
}

fn agents(bridge: &Bridge) -> Value {
    let body = bridge.acme_ok("action=showqueuestat&queue=6001");
    body["queues"][0]["agents"].clone()
}

/// Returns the next event of the agent's membership.
fn next_member_event(stream: &mut EventClient, timeout: Duration) -> Event {
    let expectation = "the stream has an event of agent 1001";
    eventually(expectation, || {
        let event = stream.until("member", timeout).pop()?;
        (event.data["member"]["agent"] == "1001").then_some(event)
    })
}

fn start_with_agent(version: u32) -> Scene {
    let scene = Scene::start(version, &[]);
    scene.bridge().acme_ok("action=add&agent=1001&queue=6001");
    // The bridge learns the device state some time after the member was added.
    eventually("the agent is available", || {
        (member(scene.bridge())["state"] == "available").then_some(())
    });
    scene
}

fn pause_elsewhere(scene: &Scene, reason: &str) {
    let reply = scene.asterisk.ami().reply_text(&format!(
        "QueuePause\r\nQueue: acme-6001\r\nInterface: {}\r\nPaused: true\r\nReason: {reason}",
        interface(1001)
    ));
    assert_eq!(reply, "Success: Interface paused successfully");
    eventually("the pause is shown", || {
        (member(scene.bridge())["paused_reason"] == reason).then_some(())
    });
}

fn limit_is_shown_and_reported_when_it_is_reached(version: u32) {
    let scene = start_with_agent(version);
    let bridge = scene.bridge();
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    stream.until("snapshot", MAX_DELAY);
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Break");
    let paused = next_member_event(&mut stream, MAX_DELAY);
    assert_eq!(paused.data["change"], "paused", "{paused:?}");
    assert_eq!(paused.data["member"]["pause_overdue"], false, "{paused:?}");
    let shown = member(bridge);
    let limit = parse_time(&shown["pause_limit_at"]);
    let since = limit.duration_since(parse_time(&shown["paused_at"]));
    assert_eq!(
        since.as_secs(),
        1,
        "the limit is a second after the beginning: {shown}"
    );
    assert_eq!(
        shown["pause_ends_at"],
        Value::Null,
        "nothing ends it: {shown}"
    );
    let overdue = next_member_event(&mut stream, Duration::from_secs(4));
    let arrived = Timestamp::now();
    assert_eq!(overdue.data["change"], "updated", "{overdue:?}");
    assert_eq!(overdue.data["member"]["pause_overdue"], true, "{overdue:?}");
    assert!(
        (limit..=limit + MAX_DELAY).contains(&arrived),
        "the event must come within a second after {limit}, not at {arrived}"
    );
    let statistics = stream
        .until("queue", MAX_DELAY * 2)
        .pop()
        .expect("an event");
    assert_eq!(statistics.data["agents"]["overdue"], 1, "{statistics:?}");
    assert_eq!(member(bridge)["pause_overdue"], true);
    assert_eq!(agents(bridge)["overdue"], 1);
    let state = bridge.acme_ok("action=showstate&agent=1001");
    assert_eq!(state["pause_overdue"], true, "{state}");
    assert_eq!(
        state["paused_at"], state["queues"][0]["paused_at"],
        "{state}"
    );
    assert_eq!(state["pause_ends_at"], Value::Null, "{state}");

    bridge.acme_ok("action=unpause&agent=1001&queue=6001");
    assert_eq!(agents(bridge)["overdue"], 0, "after the unpause");
}

fn limit_of_an_ending_reason_is_the_end(version: u32) {
    let scene = start_with_agent(version);
    let bridge = scene.bridge();
    let body = bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Lunch");
    let shown = member(bridge);
    assert_eq!(
        parse_time(&shown["pause_ends_at"]),
        parse_time(&body["queues"][0]["ends_at"])
    );
    let limit = parse_time(&shown["pause_limit_at"]);
    let since = limit.duration_since(parse_time(&shown["paused_at"]));
    assert_eq!(since.as_secs(), LUNCH_SECONDS, "{shown}");
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    stream.until("snapshot", MAX_DELAY);
    let ended = eventually("the stream has the unpause", || {
        let event = next_member_event(&mut stream, Duration::from_secs(4));
        (event.data["change"] == "unpaused").then_some(event)
    });
    assert_eq!(
        ended.data["member"]["pause_ends_at"],
        Value::Null,
        "{ended:?}"
    );
}

fn unpaused_member_has_no_limit_and_no_end(version: u32) {
    let scene = start_with_agent(version);
    let bridge = scene.bridge();
    let assert_none = |when: &str| {
        let shown = member(bridge);
        for field in [
            "paused_at",
            "pause_limit_at",
            "pause_ends_at",
            "wrap_up_ends_at",
        ] {
            assert_eq!(
                shown.get(field),
                Some(&Value::Null),
                "{field} {when}: {shown}"
            );
        }
        for field in ["pause_overdue", "auto_paused"] {
            assert_eq!(shown[field], false, "{field} {when}: {shown}");
        }
        let state = bridge.acme_ok("action=showstate&agent=1001");
        for field in ["paused_at", "pause_ends_at"] {
            assert_eq!(
                state.get(field),
                Some(&Value::Null),
                "{field} {when}: {state}"
            );
        }
        assert_eq!(state["pause_overdue"], false, "{when}: {state}");
    };
    assert_none("before the pause");
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Break&duration=60");
    bridge.acme_ok("action=unpause&agent=1001&queue=6001");
    assert_none("after the pause");
}

fn state_since_is_known_only_for_what_the_bridge_has_seen(version: u32) {
    let mut scene = Scene::start(version, &[]);
    let before = Timestamp::now() - jiff::SignedDuration::from_secs(1);
    scene.bridge().acme_ok("action=add&agent=1001&queue=6001");
    let added = parse_time(&member(scene.bridge())["state_since"]);
    assert!(
        added >= before,
        "the agent was added after {before}, not at {added}"
    );
    eventually("the agent is available", || {
        (member(scene.bridge())["state"] == "available").then_some(())
    });
    scene
        .bridge()
        .acme_ok("action=pause&agent=1001&queue=6001&reason=Tea");
    let shown = member(scene.bridge());
    assert_eq!(shown["state_since"], shown["paused_at"], "{shown}");
    scene
        .bridge()
        .acme_ok("action=unpause&agent=1001&queue=6001");
    let unpaused = parse_time(&member(scene.bridge())["state_since"]);
    assert!(unpaused >= added, "{unpaused} must not be before {added}");
    // A change that is none of the state keeps the beginning.
    let reply = scene.asterisk.ami().reply_text(&format!(
        "QueuePenalty\r\nQueue: acme-6001\r\nInterface: {}\r\nPenalty: 2",
        interface(1001)
    ));
    assert_eq!(reply, "Success: Interface penalty set successfully");
    let shown = eventually("the penalty is shown", || {
        let shown = member(scene.bridge());
        (shown["penalty"] == 2).then_some(shown)
    });
    assert_eq!(parse_time(&shown["state_since"]), unpaused, "{shown}");

    scene.kill_bridge();
    scene.restart_bridge();
    let shown = member(scene.bridge());
    assert_eq!(shown["state"], "available", "{shown}");
    let since = &shown["state_since"];
    assert_eq!(
        *since,
        Value::Null,
        "the new process has not seen it: {shown}"
    );
    scene
        .bridge()
        .acme_ok("action=pause&agent=1001&queue=6001&reason=Tea");
    scene.kill_bridge();
    scene.restart_bridge();
    let shown = member(scene.bridge());
    assert_eq!(
        shown["state_since"], shown["paused_at"],
        "Asterisk reports the beginning of a pause: {shown}"
    );
}

fn limits_of_a_reload_apply_to_standing_pauses(version: u32) {
    let scene = start_with_agent(version);
    let bridge = scene.bridge();
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Back%20office");
    assert_eq!(member(bridge)["pause_limit_at"], Value::Null);
    let with_limit = scene.configuration.replace(
        "name = \"Back office\"\n",
        "name = \"Back office\"\nlimit = \"1h\"\n",
    );
    let line = bridge.reconfigure(&with_limit);
    assert_eq!(line["message"], "configuration reloaded", "{line}");
    let shown = member(bridge);
    let limit = parse_time(&shown["pause_limit_at"]);
    let since = limit.duration_since(parse_time(&shown["paused_at"]));
    assert_eq!(since.as_secs(), 3600, "the new limit: {shown}");
    let line = bridge.reconfigure(&with_limit.replace("\"1h\"", "\"1s\""));
    assert_eq!(line["message"], "configuration reloaded", "{line}");
    eventually("the pause is overdue by the shorter limit", || {
        (member(bridge)["pause_overdue"] == true).then_some(())
    });
}

/// Asterisk's reason for an automatic pause decides.
fn automatic_pause_is_shown(version: u32) {
    let scene = start_with_agent(version);
    pause_elsewhere(&scene, "Auto-Pause");
    let shown = member(scene.bridge());
    assert_eq!(shown["auto_paused"], true, "{shown}");
    scene
        .bridge()
        .acme_ok("action=pause&agent=1001&queue=6001&reason=Tea");
    let shown = member(scene.bridge());
    assert_eq!(shown["auto_paused"], false, "after another pause: {shown}");
}

/// Queue 7003 of the sample pauses agents who do not answer, and agent 1090 never answers.
fn missed_call_is_shown_as_an_automatic_pause(version: u32) {
    let asterisk = crate::support::Asterisk::start(version);
    let acme = organization("acme", "\"7003\"", "timed-{queue}", ACME);
    let text = crate::support::configuration_with(asterisk.port, &[acme]);
    let bridge = Bridge::start(&text);
    bridge.acme_ok("action=add&agent=1090&queue=7003");
    asterisk.add_caller("timed-7003");
    let shown = eventually("Asterisk pauses the agent who does not answer", || {
        let body = bridge.acme_ok("action=showstate&agent=1090");
        (body["queues"][0]["paused"] == true).then(|| body["queues"][0].clone())
    });
    assert_eq!(shown["auto_paused"], true, "{shown}");
    assert_eq!(shown["paused_reason"], "Auto-Pause", "{shown}");
}

fn pause_of_another_session_has_the_limit(version: u32) {
    let scene = start_with_agent(version);
    pause_elsewhere(&scene, "BREAK");
    let shown = member(scene.bridge());
    assert_eq!(
        shown["paused_reason"], "BREAK",
        "as Asterisk has it: {shown}"
    );
    let limit = parse_time(&shown["pause_limit_at"]);
    let since = limit.duration_since(parse_time(&shown["paused_at"]));
    assert_eq!(since.as_secs(), 1, "{shown}");
    pause_elsewhere(&scene, "Lunch");
    let shown = member(scene.bridge());
    assert!(
        shown["pause_ends_at"].is_string(),
        "the bridge also ends pauses that were made elsewhere: {shown}"
    );
}
