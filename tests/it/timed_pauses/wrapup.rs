//! After a call. Asterisk's own choice is the judge: it gives a waiting caller to an agent
//! whom the bridge reports as available, and to no one in wrap-up.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::watch::EventWatch;
use super::{MAX_DELAY, interface, parse_time, wait_until};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, Asterisk, Bridge, configuration_with, eventually, on_both_versions, organization,
    sample_config, with_acme_keys,
};

on_both_versions!(
    agent_is_rung_when_the_wrap_up_ends_and_not_before,
    waiting_caller_gets_the_agent_when_the_wrap_up_ends,
    own_wrap_up_time_of_a_member_replaces_the_time_of_the_queue,
    wrap_up_of_one_queue_does_not_hold_up_another,
    shared_last_call_makes_every_queue_wait,
    pause_and_call_come_before_wrap_up,
);

/// The wrap-up time of the sample's queue 7001, in seconds.
const SECONDS: i64 = 3;

/// The wrap-up time of the sample's queue 7002, in seconds.
const LONGER_SECONDS: i64 = 6;

/// A waiting caller is offered to the agents again after this time, the `retry` of the sample's
/// queues.
const RETRY: Duration = Duration::from_secs(1);

struct Setup {
    asterisk: Asterisk,
    bridge: Bridge,
    watch: EventWatch,
}

impl Setup {
    /// Starts an Asterisk with this `queues.conf`, and a bridge that knows the wrap-up times.
    fn start(version: u32, queues: &str) -> Self {
        let asterisk = Asterisk::start_with(version, &[("queues.conf", queues)]);
        let acme = organization("acme", "\"7001\", \"7002\"", "timed-{queue}", ACME);
        let text = configuration_with(asterisk.port, &[acme]);
        let wrapup =
            format!("wrapup = {{ \"7001\" = \"{SECONDS}s\", \"70*\" = \"{LONGER_SECONDS}s\" }}");
        let bridge = Bridge::start(&with_acme_keys(&text, &wrapup));
        let watch = EventWatch::start(&asterisk);
        Self {
            asterisk,
            bridge,
            watch,
        }
    }

    /// Returns an agent's memberships.
    fn state(&self, agent: u16) -> Value {
        self.bridge
            .acme_ok(&format!("action=showstate&agent={agent}"))
    }

    fn add(&self, agent: u16, queue: &str) {
        let query = format!("action=add&agent={agent}&queue={queue}");
        self.bridge.acme_ok(&query);
        eventually("the agent is available", || {
            (self.state(agent)["state"] == "available").then_some(())
        });
    }

    /// Makes an agent answer a call from a queue, ends the call, and waits for the wrap-up.
    /// Returns the state of the agent.
    fn finish_call(&self, agent: u16, queue: &str) -> Value {
        self.asterisk.add_caller(&format!("timed-{queue}"));
        eventually("the agent is in the call", || {
            let state = self.state(agent);
            let queues = state["queues"].as_array().expect("queues");
            let in_call = queues.iter().any(|member| member["in_call"] == true);
            in_call.then_some(())
        });
        self.asterisk.cli("channel request hangup all");
        eventually("the agent is in wrap-up after the call", || {
            let state = self.state(agent);
            let queues = state["queues"].as_array().expect("queues");
            let mut queues = queues.iter();
            let member = queues.find(|member| member["queue"] == queue)?;
            (member["state"] == "wrap_up").then_some(state)
        })
    }

    /// Adds a caller and returns when Asterisk begins to ring the agent.
    fn ring(&self, agent: u16, queue: &str) -> Timestamp {
        let name = format!("timed-{queue}");
        let before = self.watch.rings(&name, agent).len();
        self.asterisk.add_caller(&name);
        self.wait_for_ring(agent, queue, before)
    }

    /// Waits until Asterisk has begun to ring the agent more than `before` times.
    fn wait_for_ring(&self, agent: u16, queue: &str, before: usize) -> Timestamp {
        eventually("Asterisk rings the agent", || {
            let rings = self.watch.rings(&format!("timed-{queue}"), agent);
            rings.get(before).copied()
        })
    }
}

/// Returns the end of a membership's wrap-up. Asserts that it is `seconds` after the call.
fn wrap_up_end(member: &Value, seconds: i64) -> Timestamp {
    assert_eq!(member["state"], "wrap_up", "{member}");
    let end = parse_time(&member["wrap_up_ends_at"]);
    let length = end.duration_since(parse_time(&member["last_call_at"]));
    assert_eq!(length.as_secs(), seconds, "the wrap-up time: {member}");
    end
}

fn assert_available(member: &Value) {
    assert_eq!(member["state"], "available", "{member}");
    assert_eq!(member["wrap_up_ends_at"], Value::Null, "{member}");
}

fn assert_rung_at_once(rung: Timestamp, since: Timestamp, why: &str) {
    assert!(
        rung <= since + MAX_DELAY,
        "Asterisk must ring the agent within a second after {since} ({why}), not at {rung}"
    );
}

fn agent_is_rung_when_the_wrap_up_ends_and_not_before(version: u32) {
    let setup = Setup::start(version, &sample_config("queues.conf"));
    setup.add(1001, "7001");
    let state = setup.finish_call(1001, "7001");
    assert_eq!(state["state"], "wrap_up", "{state}");
    let end = wrap_up_end(&state["queues"][0], SECONDS);
    let since = &state["queues"][0]["state_since"];
    assert_eq!(*since, state["queues"][0]["last_call_at"], "{state}");
    let statistics = || {
        let body = setup.bridge.acme_ok("action=showqueuestat&queue=7001");
        body["queues"][0]["agents"].clone()
    };
    let agents = statistics();
    assert_eq!(
        (&agents["wrap_up"], &agents["available"]),
        (&1.into(), &0.into()),
        "{agents}"
    );

    let mut stream = EventClient::open(setup.bridge.address, ACME, "&queue=7001");
    let snapshot = stream
        .until("snapshot", MAX_DELAY)
        .pop()
        .expect("a snapshot");
    let shown = &snapshot.data["queues"][0]["members"][0];
    assert_eq!(
        shown["state"], "wrap_up",
        "the stream agrees with reads: {shown}"
    );
    let event = eventually("the stream has the end of the wrap-up", || {
        let event = stream.until("member", MAX_DELAY * 8).pop()?;
        (event.data["member"]["state"] != "wrap_up").then_some(event)
    });
    let arrived = Timestamp::now();
    assert_eq!(event.data["change"], "updated", "{event:?}");
    assert_available(&event.data["member"]);
    assert!(
        (end..=end + MAX_DELAY).contains(&arrived),
        "the event must come within a second after {end}, not at {arrived}"
    );
    assert_available(&setup.state(1001)["queues"][0]);
    let figures = stream
        .until("queue", MAX_DELAY * 2)
        .pop()
        .expect("an event");
    assert_eq!(figures.data["agents"]["wrap_up"], 0, "{figures:?}");
    let agents = statistics();
    assert_eq!(
        (&agents["wrap_up"], &agents["available"]),
        (&0.into(), &1.into()),
        "{agents}"
    );
    // Adding a caller takes a part of a second.
    let rung = setup.ring(1001, "7001");
    assert_rung_at_once(
        rung,
        arrived + Duration::from_millis(500),
        "it is available",
    );
}

fn waiting_caller_gets_the_agent_when_the_wrap_up_ends(version: u32) {
    let setup = Setup::start(version, &sample_config("queues.conf"));
    setup.add(1001, "7001");
    let state = setup.finish_call(1001, "7001");
    let end = wrap_up_end(&state["queues"][0], SECONDS);
    let before = setup.watch.rings("timed-7001", 1001).len();
    setup.asterisk.add_caller("timed-7001");
    // Asterisk decides by whole seconds.
    wait_until(end - Duration::from_secs(1));
    let rings = setup.watch.rings("timed-7001", 1001).len();
    assert_eq!(rings, before, "Asterisk rings an agent in wrap-up");
    let state = setup.state(1001);
    assert_eq!(state["state"], "wrap_up", "until {end}: {state}");
    let rung = setup.wait_for_ring(1001, "7001", before);
    assert_rung_at_once(
        rung,
        end + RETRY,
        "the wrap-up has ended, and the caller retries",
    );
}

fn own_wrap_up_time_of_a_member_replaces_the_time_of_the_queue(version: u32) {
    const OWN_SECONDS: i64 = 5;
    let queues = format!(
        "{}\n[timed-7001](+)\nmember => {},0,1002,,no,{OWN_SECONDS}\n",
        sample_config("queues.conf"),
        interface(1002)
    );
    let setup = Setup::start(version, &queues);
    let state = setup.finish_call(1002, "7001");
    let member = &state["queues"][0];
    assert_eq!(member["wrapup_seconds"], OWN_SECONDS, "{member}");
    let end = wrap_up_end(member, OWN_SECONDS);
    let before = setup.watch.rings("timed-7001", 1002).len();
    setup.asterisk.add_caller("timed-7001");
    let rung = setup.wait_for_ring(1002, "7001", before);
    assert!(
        rung >= end - Duration::from_secs(1),
        "Asterisk must not ring the agent before {end}, as it did at {rung}"
    );
    assert_rung_at_once(
        rung,
        end + RETRY,
        "the wrap-up has ended, and the caller retries",
    );
}

fn wrap_up_of_one_queue_does_not_hold_up_another(version: u32) {
    let setup = Setup::start(version, &sample_config("queues.conf"));
    setup.add(1001, "7001");
    setup.add(1001, "7002");
    let state = setup.finish_call(1001, "7002");
    wrap_up_end(&state["queues"][1], LONGER_SECONDS);
    assert_available(&state["queues"][0]);
    assert_eq!(
        state["state"], "available",
        "the agent is available in one queue: {state}"
    );
    let asked = Timestamp::now() + Duration::from_millis(500);
    let rung = setup.ring(1001, "7001");
    assert_rung_at_once(rung, asked, "the other queue is in wrap-up");
}

fn shared_last_call_makes_every_queue_wait(version: u32) {
    let queues = sample_config("queues.conf");
    let shared = queues.replace("shared_lastcall = no", "shared_lastcall = yes");
    assert_ne!(queues, shared, "the sample sets shared_lastcall");
    let setup = Setup::start(version, &shared);
    setup.add(1001, "7001");
    setup.add(1001, "7002");
    // The wrap-up time is that of the queue from which the call came.
    setup.finish_call(1001, "7002");
    let state = eventually("every membership is in wrap-up", || {
        let state = setup.state(1001);
        (state["state"] == "wrap_up").then_some(state)
    });
    let ends = [0, 1].map(|index| wrap_up_end(&state["queues"][index], LONGER_SECONDS));
    assert_eq!(ends[0], ends[1], "one call, one end: {state}");
    let before = setup.watch.rings("timed-7001", 1001).len();
    setup.asterisk.add_caller("timed-7001");
    let rung = setup.wait_for_ring(1001, "7001", before);
    let end = ends[0];
    assert!(
        rung >= end - Duration::from_secs(1),
        "Asterisk must not ring the agent for queue 7001 before {end}, as it did at {rung}"
    );
    assert_rung_at_once(
        rung,
        end + RETRY,
        "the wrap-up has ended, and the caller retries",
    );
}

fn pause_and_call_come_before_wrap_up(version: u32) {
    let setup = Setup::start(version, &sample_config("queues.conf"));
    setup.add(1001, "7002");
    setup.finish_call(1001, "7002");
    setup
        .bridge
        .acme_ok("action=pause&agent=1001&queue=7002&reason=Tea");
    let state = setup.state(1001);
    assert_eq!(state["state"], "paused", "{state}");
    setup.bridge.acme_ok("action=unpause&agent=1001&queue=7002");
    let state = setup.state(1001);
    assert_eq!(
        state["state"], "wrap_up",
        "the wrap-up is not over: {state}"
    );
    wrap_up_end(&state["queues"][0], LONGER_SECONDS);
    let reply = setup.asterisk.cli("queue show timed-7002");
    assert!(reply.contains("1001"), "{reply}");
}
