//! No fault in Asterisk or the network causes a change to be lost or executed twice. 32 clients
//! change agents during each fault. The tests check the clients' responses against Asterisk's
//! `queue_log`.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{assert_members_match, asterisk_with_agents};
use crate::support::{
    Asterisk, Bridge, Network, Outcomes, Proxy, Tally, configuration, eventually, on_both_versions,
    run_load,
};

on_both_versions!(
    changes_stay_consistent_when_asterisk_crashes,
    changes_stay_consistent_when_asterisk_restarts,
    changes_stay_consistent_when_a_graceful_stop_is_aborted,
    changes_stay_consistent_when_asterisk_freezes_for_20_seconds,
    changes_stay_consistent_when_the_manager_reloads,
    changes_stay_consistent_when_app_queue_is_reloaded,
    changes_stay_consistent_when_connections_close,
    changes_stay_consistent_when_the_network_goes_silent,
    changes_stay_consistent_when_responses_are_truncated,
    changes_stay_consistent_when_bytes_arrive_one_by_one_or_late,
);

/// An Asterisk with 32 static agents, a proxy, a bridge, and the outcomes of the clients'
/// changes.
pub(crate) struct FaultTest {
    pub(crate) asterisk: Asterisk,
    pub(crate) proxy: Proxy,
    pub(crate) bridge: Bridge,
    /// Outcomes that are not yet checked against `queue_log`.
    outcomes: Outcomes,
    /// The counts of checked outcomes.
    tally: Tally,
    name: &'static str,
}

impl FaultTest {
    pub(crate) fn new(version: u32, name: &'static str) -> Self {
        let asterisk = asterisk_with_agents(version);
        let proxy = Proxy::start(asterisk.port);
        let configuration =
            configuration(proxy.port).replace("ami_bridge=trace", "ami_bridge=info");
        let bridge = Bridge::start(&configuration);
        Self {
            asterisk,
            proxy,
            bridge,
            outcomes: Outcomes::default(),
            tally: Tally::default(),
            name,
        }
    }

    /// Runs `fault` under load, and waits until the bridge is ready again and has answered
    /// further requests. `round` makes the pause reasons unique.
    pub(crate) fn run_fault(&mut self, round: usize, fault: impl FnOnce(&mut Asterisk, &Proxy)) {
        let (bridge, asterisk, proxy) = (&self.bridge, &mut self.asterisk, &self.proxy);
        let (outcomes, ()) = run_load(bridge, &format!("r{round}"), || {
            wait_for_responses(bridge);
            fault(asterisk, proxy);
            bridge.wait_ready();
            wait_for_responses(bridge);
        });
        self.outcomes.merge(outcomes);
    }

    /// Asserts that the bridge has lost the link `expected` times in total.
    fn assert_lost_links(&self, expected: usize) {
        let lost = self.bridge.log().matches("\"link lost\"").count();
        assert_eq!(lost, expected);
    }

    /// Checks the unchecked outcomes against `queue_log`, then clears the outcomes and the log.
    /// Asterisk must already have executed all changes that it received.
    pub(crate) fn check_queue_log(&mut self) {
        let log = self.asterisk.take_queue_log();
        self.tally += self.outcomes.take().check_against_queue_log(&log);
    }

    /// Checks the outcomes against `queue_log`, and the bridge's members against Asterisk's
    /// members.
    pub(crate) fn assert_consistent(mut self) {
        self.check_queue_log();
        let tally = &self.tally;
        println!(
            "{} on Asterisk {}: {tally}",
            self.name, self.asterisk.version
        );
        assert!(tally.success > 100 && tally.unanswered == 0, "{tally}");
        assert_members_match(&self.bridge, &self.asterisk);
        let (status, _) = self.bridge.stop();
        assert!(status.success());
    }
}

/// Waits for 20 successful responses.
pub(crate) fn wait_for_responses(bridge: &Bridge) {
    for _ in 0..20 {
        eventually("the bridge answers", || {
            let query = "action=showstate&agent=1001";
            let response = bridge.get_as(crate::support::ACME, query);
            (response.status == 200).then_some(())
        });
    }
}

fn changes_stay_consistent_when_asterisk_crashes(version: u32) {
    let mut test = FaultTest::new(version, "kill -9");
    for round in 0..3 {
        test.run_fault(round, |asterisk, _| {
            asterisk.kill();
            asterisk.restart();
        });
    }
    test.assert_consistent();
}

fn changes_stay_consistent_when_asterisk_restarts(version: u32) {
    let mut test = FaultTest::new(version, "core restart now");
    for round in 0..3 {
        test.run_fault(round, |asterisk, _| {
            let uptime = |asterisk: &Asterisk| asterisk.cli("core show uptime seconds");
            asterisk.cli("core restart now");
            eventually("Asterisk is up again", || {
                let booted = asterisk
                    .cli("core waitfullybooted")
                    .contains("fully booted");
                (booted && uptime(asterisk).contains("System uptime: ")).then_some(())
            });
        });
    }
    assert!(
        test.bridge
            .log()
            .contains("Asterisk announced its shutdown")
    );
    test.assert_consistent();
}

fn changes_stay_consistent_when_a_graceful_stop_is_aborted(version: u32) {
    let mut test = FaultTest::new(version, "core stop gracefully, aborted");
    // A call delays the graceful stop.
    test.asterisk.add_caller("acme-6001");
    eventually("a call is active", || {
        let channels = test.asterisk.cli("core show channels");
        (!channels.contains("0 active calls")).then_some(())
    });
    for round in 0..3 {
        test.run_fault(round, |asterisk, _| {
            let asterisk = &*asterisk;
            std::thread::scope(|scope| {
                scope.spawn(|| asterisk.cli("core stop gracefully"));
                let mut ami = None;
                eventually("the stop is pending", || {
                    let ami = ami.get_or_insert_with(|| asterisk.ami());
                    let response = ami.send("Action: Ping");
                    (response.get("Message")? == "Asterisk is shutting down").then_some(())
                });
                sleep(Duration::from_millis(300));
                asterisk.cli("core abort shutdown");
            });
        });
    }
    test.assert_consistent();
}

fn changes_stay_consistent_when_asterisk_freezes_for_20_seconds(version: u32) {
    let mut test = FaultTest::new(version, "SIGSTOP for 20 s");
    let is_dropped = |bridge: &Bridge| bridge.log().contains("Asterisk has stopped answering");
    let bridge = &test.bridge;
    let (asterisk, mut dropped_after) = (&test.asterisk, None);
    let (outcomes, ()) = run_load(bridge, "r0", || {
        wait_for_responses(bridge);
        asterisk.freeze();
        let frozen_at = Instant::now();
        eventually("the bridge drops the link", || {
            is_dropped(bridge).then_some(())
        });
        dropped_after = Some(frozen_at.elapsed());
        sleep(Duration::from_secs(20).saturating_sub(frozen_at.elapsed()));
        asterisk.resume();
        bridge.wait_ready();
        wait_for_responses(bridge);
    });
    test.outcomes.merge(outcomes);
    let dropped_after = dropped_after.expect("a measured time");
    println!("link dropped after {dropped_after:?}");
    // The bridge drops the link within 10 s. A busy machine may need a little longer.
    assert!(dropped_after < Duration::from_secs(11), "{dropped_after:?}");
    test.assert_consistent();
}

fn changes_stay_consistent_when_the_manager_reloads(version: u32) {
    let mut test = FaultTest::new(version, "manager reload");
    for round in 0..3 {
        test.run_fault(round, |asterisk, _| {
            asterisk.cli("manager reload");
        });
    }
    test.assert_consistent();
}

fn changes_stay_consistent_when_app_queue_is_reloaded(version: u32) {
    let mut test = FaultTest::new(version, "module unload/load app_queue.so");
    for round in 0..3 {
        test.run_fault(round, |asterisk, _| {
            // Asterisk refuses to unload the module while an action runs, and sometimes crashes.
            eventually("app_queue is unloaded", || {
                let output = asterisk.cli("module unload app_queue.so");
                (output.contains("Unloaded") || asterisk.has_exited()).then_some(())
            });
            sleep(Duration::from_millis(200));
            asterisk.cli("module load app_queue.so");
            if asterisk.has_exited() {
                println!(
                    "Asterisk {} crashed while it unloaded app_queue",
                    asterisk.version
                );
                asterisk.restart();
            }
        });
    }
    test.assert_consistent();
}

fn changes_stay_consistent_when_connections_close(version: u32) {
    let mut test = FaultTest::new(version, "connection closed");
    for round in 0..4 {
        test.run_fault(round, |_, proxy| proxy.close_connections());
        test.assert_lost_links(round + 1);
    }
    test.assert_consistent();
}

fn changes_stay_consistent_when_the_network_goes_silent(version: u32) {
    let mut test = FaultTest::new(version, "unplugged cable");
    let bridge = &test.bridge;
    let proxy = &test.proxy;
    let (outcomes, ()) = run_load(bridge, "r0", || {
        wait_for_responses(bridge);
        proxy.set_network(Network::BlackHole);
        eventually("the bridge drops the link", || {
            let is_dropped = bridge.log().contains("Asterisk has stopped answering");
            is_dropped.then_some(())
        });
        proxy.set_network(Network::Normal);
        bridge.wait_ready();
        wait_for_responses(bridge);
    });
    test.outcomes.merge(outcomes);
    test.assert_consistent();
}

fn changes_stay_consistent_when_responses_are_truncated(version: u32) {
    let mut test = FaultTest::new(version, "truncated response");
    for round in 0..4 {
        test.run_fault(round, |_, proxy| proxy.truncate_next_read());
        test.assert_lost_links(round + 1);
    }
    test.assert_consistent();
}

fn changes_stay_consistent_when_bytes_arrive_one_by_one_or_late(version: u32) {
    let mut test = FaultTest::new(version, "single and late bytes");
    for (round, network) in [Network::SingleBytes, Network::Slow]
        .into_iter()
        .enumerate()
    {
        test.run_fault(round, |_, proxy| {
            proxy.set_network(network);
            sleep(Duration::from_millis(500));
            proxy.set_network(Network::Normal);
        });
    }
    test.assert_consistent();
}
