//! The PBX's wall clock may be wrong, may jump, and may use another time zone. The bridge
//! orders events only by arrival, and converts times to its own clock.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{add_elsewhere, check, interface, run_in_parallel, warnings, with_resync};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, Asterisk, Bridge, Network, PbxClock, Proxy, configuration, eventually, on_both_versions,
    request, sample_config,
};

on_both_versions!(
    events_are_applied_after_the_clock_steps_back_and_a_reload,
    events_are_applied_after_clock_steps_of_an_hour,
    events_are_applied_if_the_clock_is_an_hour_off,
    events_are_applied_at_the_end_of_daylight_saving_time,
    responses_use_the_bridges_clock,
    responses_use_the_bridges_clock_after_a_clock_step,
    clock_offset_is_reported_in_the_metrics_the_log_and_check,
    pause_sends_one_event_if_the_clocks_differ,
);

mod one_event {
    use super::pause_sends_one_event;
    crate::support::on_every_pbx!(pause_sends_one_event);
}

const HOUR: i64 = 3600;

/// The time within which the bridge must show a change from another session, even on a busy machine.
/// Without the event, the next resync would show it an hour later.
const EVENT_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts a bridge that never resyncs, so that it learns of changes only from events.
fn start_bridge(asterisk: &Asterisk) -> Bridge {
    Bridge::start(&with_resync(&configuration(asterisk.port), "1h"))
}

/// Pauses and unpauses an agent through another session. Asserts that each change appears in
/// reads and on the stream within [`EVENT_TIMEOUT`].
fn assert_events_are_applied(asterisk: &Asterisk, bridge: &Bridge, queue: &str, agent: u16) {
    let mut stream = EventClient::open(bridge.address, ACME, "");
    stream.until("snapshot", EVENT_TIMEOUT);
    let mut ami = asterisk.ami();
    for round in 0..2 {
        for paused in [true, false] {
            let response = ami.send(&format!(
                "Action: QueuePause\r\nQueue: {queue}\r\nInterface: {}\r\nPaused: {paused}\r\n\
                 Reason: Round {round}",
                interface(agent)
            ));
            assert_eq!(response["Response"], "Success", "{response:?}");
            let begun = Instant::now();
            let change = ["unpaused", "paused"][usize::from(paused)];
            let expectation = format!("agent {agent} is shown as {change}, round {round}");
            eventually(&expectation, || {
                let body = bridge.acme_ok(&format!("action=showstate&agent={agent}"));
                (body["queues"][0]["paused"] == paused).then_some(())
            });
            let took = begun.elapsed();
            assert!(took < EVENT_TIMEOUT, "{expectation} after {took:?}");
            let streamed = eventually("the stream has the event", || {
                let event = stream.until("member", EVENT_TIMEOUT * 2).pop()?;
                let is_agent = event.data["member"]["interface"] == interface(agent);
                (is_agent && event.data["change"] != "updated").then_some(event)
            });
            assert_eq!(streamed.data["change"], change);
        }
    }
}

fn events_are_applied_after_the_clock_steps_back_and_a_reload(version: u32) {
    let pbx = PbxClock::start(version, 0);
    let bridge = start_bridge(&pbx.asterisk);
    for agent in [1001, 1002] {
        add_elsewhere(&pbx.asterisk, "acme-6001", agent);
    }
    eventually("both agents are shown", || {
        let body = bridge.acme_ok("action=showqueue&queue=6001");
        (super::agents(&body["queues"][0]).len() == 2).then_some(())
    });
    pbx.set_offset(-HOUR);
    // The reload gives the static member a new login time. Dynamic members keep their login
    // times.
    let queues = sample_config("queues.conf").replace("Static Sam", "Static Samuel");
    pbx.asterisk.write_config("queues.conf", &queues);
    pbx.asterisk.cli("queue reload all");
    assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1001);
    assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6002", 1050);

    // The bridge has now read the queues with the new clock. Next, the clock steps forward and
    // back.
    bridge.acme_ok("action=showqueue&fresh=1");
    pbx.set_offset(HOUR);
    pbx.asterisk.cli("queue reload all");
    bridge.acme_ok("action=showqueue&fresh=1");
    pbx.set_offset(-HOUR);
    pbx.asterisk
        .write_config("queues.conf", &queues.replace("Samuel", "Sam"));
    pbx.asterisk.cli("queue reload all");
    assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1002);
    assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6002", 1050);
}

/// An agent leaves the queue and returns after the clock has stepped back, so the new
/// membership has an earlier login time than the previous one.
fn events_are_applied_after_clock_steps_of_an_hour(version: u32) {
    let pbx = PbxClock::start(version, HOUR);
    let bridge = start_bridge(&pbx.asterisk);
    for offset in [HOUR, -HOUR, HOUR] {
        pbx.set_offset(offset);
        add_elsewhere(&pbx.asterisk, "acme-6001", 1001);
        wait_for_state(&bridge, "available");
        assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1001);
        let removed = pbx.asterisk.ami().reply_text(&format!(
            "QueueRemove\r\nQueue: acme-6001\r\nInterface: {}",
            interface(1001)
        ));
        assert_eq!(removed, "Success: Removed interface from queue");
        wait_for_state(&bridge, "logged_out");
    }
}

fn events_are_applied_if_the_clock_is_an_hour_off(version: u32) {
    run_in_parallel(&[HOUR, -HOUR], |offset| {
        let pbx = PbxClock::start(version, offset);
        let bridge = start_bridge(&pbx.asterisk);
        add_elsewhere(&pbx.asterisk, "acme-6001", 1001);
        wait_for_state(&bridge, "available");
        assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1001);
        pbx.asterisk.cli("queue reload all");
        assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1001);
        assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6002", 1050);
    });
}

/// Waits until the bridge shows agent 1001 in `state`.
fn wait_for_state(bridge: &Bridge, state: &str) {
    eventually(&format!("agent 1001 is {state}"), || {
        let body = bridge.acme_ok("action=showstate&agent=1001");
        (body["state"] == state).then_some(())
    });
}

/// In New York, daylight saving time ended on 2026-11-01 at 06:00 UTC. The local time 01:30
/// occurred twice that day.
fn events_are_applied_at_the_end_of_daylight_saving_time(version: u32) {
    let end_of_dst: Timestamp = "2026-11-01T06:00:00Z".parse().expect("a time");
    let offset_to_end = end_of_dst.as_second() - Timestamp::now().as_second();
    let zone = ["TZ=America/New_York"];
    let pbx = PbxClock::start_with(version, offset_to_end - 5, &[], &zone);
    let bridge = start_bridge(&pbx.asterisk);
    add_elsewhere(&pbx.asterisk, "acme-6001", 1001);
    wait_for_state(&bridge, "available");
    assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1001);
    pbx.set_offset(offset_to_end + 5);
    pbx.asterisk.cli("queue reload all");
    assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1001);
    assert_times_near_now(&bridge, &pbx.asterisk, 1001);
}

/// Returns the age of a time in seconds, by the host's clock.
fn age(time: &Value) -> f64 {
    let time = time.as_str().unwrap_or_else(|| panic!("no time: {time}"));
    let time: Timestamp = time.parse().expect("a time");
    (Timestamp::now().as_millisecond() - time.as_millisecond()) as f64 / 1000.0
}

/// Asserts that the time in `field` is at most `max_age` ago, with a tolerance of two seconds
/// in both directions.
fn assert_recent(field: &str, time: &Value, max_age: Duration) {
    let age = age(time);
    let limit = max_age.as_secs_f64() + 2.0;
    assert!(
        (-2.0..limit).contains(&age),
        "{field} {time} is {age} s old"
    );
}

/// Pauses the agent in queue 6001, first through the bridge and then through another session.
/// Asserts that times in reads and events use the bridge's clock.
fn assert_times_near_now(bridge: &Bridge, asterisk: &Asterisk, agent: u16) {
    let member = || {
        let query = format!("action=showstate&agent={agent}&queue=6001");
        bridge.acme_ok(&query)["queues"][0].clone()
    };
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    stream.until("snapshot", EVENT_TIMEOUT);
    let begun = Instant::now();
    bridge.acme_ok(&format!("action=pause&agent={agent}&queue=6001&reason=Own"));
    assert_recent("paused_at", &member()["paused_at"], begun.elapsed());
    let event = stream
        .until("member", EVENT_TIMEOUT * 2)
        .pop()
        .expect("an event");
    let paused_at = &event.data["member"]["paused_at"];
    assert_recent("paused_at in the event", paused_at, begun.elapsed());

    // The first read shows the time from an event, and the fresh read shows the time from a list.
    let begun = Instant::now();
    let reply = asterisk.ami().reply_text(&format!(
        "QueuePause\r\nQueue: acme-6001\r\nInterface: {}\r\nPaused: true\r\nReason: Other",
        interface(agent)
    ));
    assert_eq!(reply, "Success: Interface paused successfully");
    let paused = eventually("the other pause is shown", || {
        let member = member();
        (member["paused_reason"] == "Other").then_some(member)
    });
    assert_recent("paused_at", &paused["paused_at"], begun.elapsed());
    let query = "action=showqueue&queue=6001&fresh=1";
    let listed = bridge.acme_ok(query)["queues"][0]["members"][0].clone();
    assert_recent("paused_at", &listed["paused_at"], begun.elapsed());
}

fn responses_use_the_bridges_clock(version: u32) {
    run_in_parallel(&[120, -120], |offset| {
        let pbx = PbxClock::start(version, offset);
        let bridge = start_bridge(&pbx.asterisk);
        let begun = Instant::now();
        bridge.acme_ok("action=add&agent=1001&queue=6001");
        let body = bridge.acme_ok("action=showqueue&queue=6001&fresh=1");
        let logged_in_at = &body["queues"][0]["members"][0]["logged_in_at"];
        // Asterisk 16.28 and 22.10 both report the login time.
        assert_recent("logged_in_at", logged_in_at, begun.elapsed());

        let begun = Instant::now();
        pbx.asterisk.add_caller("acme-6001");
        eventually("the call is answered", || {
            let body = bridge.acme_ok("action=showstate&agent=1001");
            // The agent's state may be `in_call` while the device still rings.
            (body["queues"][0]["in_call"] == true).then_some(())
        });
        pbx.asterisk.cli("channel request hangup all");
        let body = eventually("the call has ended", || {
            let body = bridge.acme_ok("action=showstate&agent=1001")["queues"][0].clone();
            (body["calls_taken"] == 1 && body["last_call_at"].is_string()).then_some(body)
        });
        assert_recent("last_call_at", &body["last_call_at"], begun.elapsed());
        assert_times_near_now(&bridge, &pbx.asterisk, 1001);
    });
}

/// The PBX's clock is corrected in one step, as `ntpdate` does. The link stays up.
fn responses_use_the_bridges_clock_after_a_clock_step(version: u32) {
    let pbx = PbxClock::start(version, 0);
    let bridge = start_bridge(&pbx.asterisk);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    pbx.set_offset(120);
    eventually("the bridge has measured the new offset", || {
        let offset = reported_offset(&bridge)?;
        ((119.0..121.0).contains(&offset)).then_some(())
    });
    assert_times_near_now(&bridge, &pbx.asterisk, 1001);
}

/// Returns the clock offset in `/metrics`, in seconds.
fn reported_offset(bridge: &Bridge) -> Option<f64> {
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let name = "ami_bridge_clock_offset_seconds{pbx=\"main\"} ";
    let value = metrics.lines().find_map(|line| line.strip_prefix(name))?;
    value.parse().ok()
}

fn clock_offset_is_reported_in_the_metrics_the_log_and_check(version: u32) {
    run_in_parallel(
        &[(120, true), (-120, true), (0, false)],
        |(offset, expects_warning)| {
            let pbx = PbxClock::start(version, offset);
            let text = configuration(pbx.asterisk.port);
            let bridge = Bridge::start(&text);
            let measured = eventually("/metrics has the offset", || reported_offset(&bridge));
            assert!((measured - offset as f64).abs() < 1.0, "{measured}");
            let is_warning = |text: &str| text.contains("clock");
            let (status, report) = check(&text, &[]);
            assert_eq!(status, Some(0), "{report}");
            let has_warning = is_warning(&report["warnings"].to_string());
            assert_eq!(has_warning, expects_warning, "{offset}: {report}");
            if expects_warning {
                eventually("a warning is logged", || {
                    let mut lines = warnings(&bridge).into_iter();
                    lines.any(|line| is_warning(&line)).then_some(())
                });
            } else {
                let lines = warnings(&bridge);
                assert!(!lines.iter().any(|line| is_warning(line)), "{lines:#?}");
            }
        },
    );
}

/// Waits until the wall clock is `milliseconds` after a full second.
fn wait_for_fraction(milliseconds: i64) {
    let fraction = || Timestamp::now().as_millisecond().rem_euclid(1000);
    while !(milliseconds..milliseconds + 10).contains(&fraction()) {
        // Polls often, because the time must be exact.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Pauses and unpauses an agent through the bridge. Asserts that each change causes exactly
/// one member event.
///
/// The network adds 50 ms in each direction. If a pause is sent 75 ms before the end of a
/// second, Asterisk executes it in that second, and the bridge receives the reply in the next.
/// If a pause is sent 35 ms before the end, both happen in the next second.
fn assert_one_event_each(asterisk: &Asterisk) {
    let network = Proxy::start(asterisk.port);
    let bridge = Bridge::start(&with_resync(&configuration(network.port), "1h"));
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    // The bridge learns the device state some time after the member was added.
    eventually("the device state is known", || {
        let body = bridge.acme_ok("action=showqueue&queue=6001&fresh=1");
        let member = &body["queues"][0]["members"][0];
        (member["device_state"] == "not_in_use").then_some(())
    });
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    stream.until("snapshot", EVENT_TIMEOUT);
    network.set_network(Network::Slow);
    for (action, fraction) in [
        ("pause", 925),
        ("unpause", 925),
        ("pause", 965),
        ("unpause", 965),
    ] {
        wait_for_fraction(fraction);
        bridge.acme_ok(&format!("action={action}&agent=1001&queue=6001"));
        // Collects the event, and any incorrect second event after the overlay has expired.
        let deadline = Instant::now() + Duration::from_millis(600);
        let mut events = Vec::new();
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            events.extend(stream.event(left));
        }
        let members = events.iter().filter(|event| event.name == "member");
        let changes: Vec<_> = members.map(|event| &event.data["change"]).collect();
        let expected = json!(format!("{action}d"));
        assert_eq!(changes, [&expected], "at {fraction} ms: {events:#?}");
    }
}

fn pause_sends_one_event(version: u32) {
    assert_one_event_each(&Asterisk::start(version));
}

fn pause_sends_one_event_if_the_clocks_differ(version: u32) {
    run_in_parallel(&[120, -120], |offset| {
        assert_one_event_each(&PbxClock::start(version, offset).asterisk);
    });
}
