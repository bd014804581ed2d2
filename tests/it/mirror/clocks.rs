//! The wall clock of the PBX may be wrong, may step, and may use another time zone. The
//! bridge orders events only by their arrival, and reports times on its own clock.

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
    no_event_is_ignored_after_a_step_back_and_a_reload,
    no_event_is_ignored_after_steps_of_an_hour,
    no_event_is_ignored_if_the_clock_is_an_hour_off,
    no_event_is_ignored_at_the_end_of_daylight_saving_time,
    reported_times_are_on_the_bridges_clock,
    reported_times_stay_right_after_a_clock_step,
    clock_offset_is_reported_in_metric_log_and_check,
    pause_sends_one_event_if_the_clocks_differ,
);

mod one_event {
    use super::pause_sends_one_event;
    crate::support::on_every_pbx!(pause_sends_one_event);
}

const HOUR: i64 = 3600;

/// How soon the bridge must show a change made by another session.
const EVENT_TIMEOUT: Duration = Duration::from_secs(1);

/// Starts a bridge that never resyncs, so that it depends on events.
fn bridge(asterisk: &Asterisk) -> Bridge {
    Bridge::start(&with_resync(&configuration(asterisk.port), "1h"))
}

/// Pauses and unpauses an agent through a session other than the bridge's. Asserts that
/// each change appears within [`EVENT_TIMEOUT`] in reads and on the stream.
fn assert_events_are_applied(asterisk: &Asterisk, bridge: &Bridge, queue: &str, agent: u16) {
    let mut stream = EventClient::open(bridge.address, ACME, "");
    stream.until("snapshot", EVENT_TIMEOUT);
    let mut ami = asterisk.ami();
    for round in 0..2 {
        for paused in [true, false] {
            let answer = ami.send(&format!(
                "Action: QueuePause\r\nQueue: {queue}\r\nInterface: {}\r\nPaused: {paused}\r\n\
                 Reason: Round {round}",
                interface(agent)
            ));
            assert_eq!(answer["Response"], "Success", "{answer:?}");
            let begun = Instant::now();
            let change = ["unpaused", "paused"][usize::from(paused)];
            let what = format!("agent {agent} is shown as {change}, round {round}");
            eventually(&what, || {
                let shown = bridge.acme_ok(&format!("action=showstate&agent={agent}"));
                (shown["queues"][0]["paused"] == paused).then_some(())
            });
            let took = begun.elapsed();
            assert!(took < EVENT_TIMEOUT, "{what}: {took:?}");
            let streamed = eventually("the event", || {
                let event = stream.until("member", EVENT_TIMEOUT * 2).pop()?;
                let is_own = event.data["member"]["interface"] == interface(agent);
                (is_own && event.data["change"] != "updated").then_some(event)
            });
            assert_eq!(streamed.data["change"], change);
        }
    }
}

fn no_event_is_ignored_after_a_step_back_and_a_reload(version: u32) {
    let pbx = PbxClock::start(version, 0);
    let bridge = bridge(&pbx.asterisk);
    for agent in [1001, 1002] {
        add_elsewhere(&pbx.asterisk, "acme-6001", agent);
    }
    eventually("both agents are shown", || {
        let shown = bridge.acme_ok("action=showqueue&queue=6001");
        (super::agents(&shown["queues"][0]).len() == 2).then_some(())
    });
    pbx.set_offset(-HOUR);
    // Gives the static member a new login time. Dynamic members keep theirs.
    let queues = sample_config("queues.conf").replace("Static Sam", "Static Samuel");
    pbx.asterisk.write_config("queues.conf", &queues);
    pbx.asterisk.cli("queue reload all");
    assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1001);
    assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6002", 1050);

    // The bridge has now read the queues with the new clock. The clock steps forward and back.
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

/// An agent leaves and returns while the clock steps, so the login time of the new
/// membership is earlier than that of the old one.
fn no_event_is_ignored_after_steps_of_an_hour(version: u32) {
    let pbx = PbxClock::start(version, HOUR);
    let bridge = bridge(&pbx.asterisk);
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

fn no_event_is_ignored_if_the_clock_is_an_hour_off(version: u32) {
    run_in_parallel(&[HOUR, -HOUR], |offset| {
        let pbx = PbxClock::start(version, offset);
        let bridge = bridge(&pbx.asterisk);
        add_elsewhere(&pbx.asterisk, "acme-6001", 1001);
        wait_for_state(&bridge, "available");
        assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1001);
        pbx.asterisk.cli("queue reload all");
        assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1001);
        assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6002", 1050);
    });
}

/// Waits until the bridge shows agent 1001 in this state.
fn wait_for_state(bridge: &Bridge, state: &str) {
    eventually(&format!("agent 1001 is {state}"), || {
        let shown = bridge.acme_ok("action=showstate&agent=1001");
        (shown["state"] == state).then_some(())
    });
}

/// Daylight saving time ended in New York on 2026-11-01 at 06:00 UTC. The local time 01:30
/// occurred twice.
fn no_event_is_ignored_at_the_end_of_daylight_saving_time(version: u32) {
    let end_of_dst: Timestamp = "2026-11-01T06:00:00Z".parse().expect("a time");
    let end = end_of_dst.as_second() - Timestamp::now().as_second();
    let zone = ["TZ=America/New_York"];
    let pbx = PbxClock::start_with(version, end - 5, &[], &zone);
    let bridge = bridge(&pbx.asterisk);
    add_elsewhere(&pbx.asterisk, "acme-6001", 1001);
    wait_for_state(&bridge, "available");
    assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1001);
    pbx.set_offset(end + 5);
    pbx.asterisk.cli("queue reload all");
    assert_events_are_applied(&pbx.asterisk, &bridge, "acme-6001", 1001);
    assert_times_near_now(&bridge, &pbx.asterisk, 1001);
}

/// The age of a time in seconds, on this machine's clock.
fn age(time: &Value) -> f64 {
    let time = time.as_str().unwrap_or_else(|| panic!("no time: {time}"));
    let time: Timestamp = time.parse().expect("a time");
    (Timestamp::now().as_millisecond() - time.as_millisecond()) as f64 / 1000.0
}

/// Asserts that a time is at most `since` ago, with a tolerance of two seconds on both
/// sides.
fn assert_recent(what: &str, time: &Value, since: Duration) {
    let age = age(time);
    let limit = since.as_secs_f64() + 2.0;
    assert!((-2.0..limit).contains(&age), "{what} {time} is {age} s old");
}

/// Pauses the agent in queue 6001 through the bridge and through another session. Asserts
/// that the times in reads and events are on the bridge's clock.
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
    assert_recent("paused_at of the event", paused_at, begun.elapsed());

    // First the time that the mirror has from an event, then the time from a list.
    let begun = Instant::now();
    let answer = asterisk.ami().reply_text(&format!(
        "QueuePause\r\nQueue: acme-6001\r\nInterface: {}\r\nPaused: true\r\nReason: Other",
        interface(agent)
    ));
    assert_eq!(answer, "Success: Interface paused successfully");
    let shown = eventually("the other pause is shown", || {
        let member = member();
        (member["paused_reason"] == "Other").then_some(member)
    });
    assert_recent("paused_at", &shown["paused_at"], begun.elapsed());
    let query = "action=showqueue&queue=6001&fresh=1";
    let listed = bridge.acme_ok(query)["queues"][0]["members"][0].clone();
    assert_recent("paused_at", &listed["paused_at"], begun.elapsed());
}

fn reported_times_are_on_the_bridges_clock(version: u32) {
    run_in_parallel(&[120, -120], |offset| {
        let pbx = PbxClock::start(version, offset);
        let bridge = bridge(&pbx.asterisk);
        let begun = Instant::now();
        bridge.acme_ok("action=add&agent=1001&queue=6001");
        let shown = bridge.acme_ok("action=showqueue&queue=6001&fresh=1");
        let logged_in_at = &shown["queues"][0]["members"][0]["logged_in_at"];
        // Asterisk 16.28 and 22.10 both report the login time.
        assert_recent("logged_in_at", logged_in_at, begun.elapsed());

        let begun = Instant::now();
        pbx.asterisk.add_caller("acme-6001");
        eventually("the call is answered", || {
            let shown = bridge.acme_ok("action=showstate&agent=1001");
            // The agent's state may be `in_call` while the device still rings.
            (shown["queues"][0]["in_call"] == true).then_some(())
        });
        pbx.asterisk.cli("channel request hangup all");
        let shown = eventually("the call has ended", || {
            let shown = bridge.acme_ok("action=showstate&agent=1001")["queues"][0].clone();
            (shown["calls_taken"] == 1 && shown["last_call_at"].is_string()).then_some(shown)
        });
        assert_recent("last_call_at", &shown["last_call_at"], begun.elapsed());
        assert_times_near_now(&bridge, &pbx.asterisk, 1001);
    });
}

/// The clock of the PBX is corrected in one step, as `ntpdate` does. The link stays up.
fn reported_times_stay_right_after_a_clock_step(version: u32) {
    let pbx = PbxClock::start(version, 0);
    let bridge = bridge(&pbx.asterisk);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    pbx.set_offset(120);
    eventually("the bridge has measured the new offset", || {
        let offset = offset(&bridge)?;
        ((119.0..121.0).contains(&offset)).then_some(())
    });
    assert_times_near_now(&bridge, &pbx.asterisk, 1001);
}

fn offset(bridge: &Bridge) -> Option<f64> {
    let metrics = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let name = "ami_bridge_clock_offset_seconds{pbx=\"main\"} ";
    let value = metrics.lines().find_map(|line| line.strip_prefix(name))?;
    value.parse().ok()
}

fn clock_offset_is_reported_in_metric_log_and_check(version: u32) {
    run_in_parallel(
        &[(120, true), (-120, true), (0, false)],
        |(clock, warned)| {
            let pbx = PbxClock::start(version, clock);
            let text = configuration(pbx.asterisk.port);
            let bridge = Bridge::start(&text);
            let measured = eventually("the metric", || offset(&bridge));
            assert!((measured - clock as f64).abs() < 1.0, "{measured}");
            let is_warning = |text: &str| text.contains("clock");
            let (status, report) = check(&text, &[]);
            assert_eq!(status, Some(0), "{report}");
            let in_check = is_warning(&report["warnings"].to_string());
            assert_eq!(in_check, warned, "{clock}: {report}");
            if warned {
                eventually("a warning", || {
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
        // Polls in short steps, since the exact moment matters.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Pauses and unpauses through the bridge, and asserts that each change causes exactly one
/// member event.
///
/// The network adds 50 ms in each direction. A pause sent 75 ms before the end of a second
/// is executed in that second and acknowledged in the next. A pause sent 35 ms before the
/// end is both executed and acknowledged in the next second.
fn assert_one_event_each(asterisk: &Asterisk) {
    let network = Proxy::start(asterisk.port);
    let bridge = Bridge::start(&with_resync(&configuration(network.port), "1h"));
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    // The bridge learns the member's device state some time after the member was added.
    eventually("the device state is known", || {
        let shown = bridge.acme_ok("action=showqueue&queue=6001&fresh=1");
        let member = &shown["queues"][0]["members"][0];
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
        // Collects the event, and any wrong second event when the overlay expires.
        let until = Instant::now() + Duration::from_millis(600);
        let mut events = Vec::new();
        while let Some(left) = until.checked_duration_since(Instant::now()) {
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
