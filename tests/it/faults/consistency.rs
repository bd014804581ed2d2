//! Nothing is lost and nothing is done twice, whatever happens to Asterisk or to
//! the network: 32 clients change agents while it happens, and what they were
//! answered is held against Asterisk's queue_log.

use std::fmt::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{
    Asterisk, Bridge, Network, Outcomes, Proxy, Tally, configuration, eventually, on_both_versions,
    run_load,
};

on_both_versions!(
    killed_and_started_again,
    restarted_by_its_operator,
    a_graceful_stop_that_is_called_off,
    frozen_for_twenty_seconds,
    reloads_of_the_manager,
    app_queue_unloaded_and_loaded,
    connections_cut,
    a_pulled_cable,
    answers_cut_in_their_middle,
    bytes_one_at_a_time_and_late,
);

/// An Asterisk with 32 agents of its own configuration, a proxy, and a bridge.
pub(crate) struct Scene {
    pub(crate) asterisk: Asterisk,
    pub(crate) proxy: Proxy,
    pub(crate) bridge: Bridge,
    answers: Outcomes,
    /// What was reckoned already.
    tally: Tally,
    name: &'static str,
}

impl Scene {
    pub(crate) fn new(version: u32, name: &'static str) -> Self {
        let mut queues = "[general]\n[acme-6001]\n".to_owned();
        for agent in 1001..1033 {
            let _ = writeln!(queues, "member => Local/{agent}@acme-agents,0,{agent}");
        }
        let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
        let proxy = Proxy::start(asterisk.port);
        let configuration =
            configuration(proxy.port).replace("ami_bridge=trace", "ami_bridge=info");
        let bridge = Bridge::start(&configuration);
        Self {
            asterisk,
            proxy,
            bridge,
            answers: Outcomes::default(),
            tally: Tally::default(),
            name,
        }
    }

    /// Lets the fault happen in the middle of the load, and waits until the
    /// bridge is back by itself and has worked for a while.
    pub(crate) fn fault(&mut self, round: usize, fault: impl FnOnce(&mut Asterisk, &Proxy)) {
        let (bridge, asterisk, proxy) = (&self.bridge, &mut self.asterisk, &self.proxy);
        let (answers, ()) = run_load(bridge, &format!("r{round}"), || {
            work(bridge);
            fault(asterisk, proxy);
            bridge.wait_ready();
            work(bridge);
        });
        self.answers.merge(answers);
    }

    /// The fault has really ended the link, for the so-manieth time.
    fn lost_links(&self, count: usize) {
        let lost = self.bridge.log().matches("\"link lost\"").count();
        assert_eq!(lost, count);
    }

    /// Holds the answers so far against the log, and forgets both. Only where
    /// Asterisk has done everything that was sent to it.
    pub(crate) fn settle(&mut self) {
        let log = self.asterisk.take_queue_log();
        self.tally += self.answers.take().check_against_queue_log(&log);
    }

    /// Holds the answers against the log, and the bridge's view against
    /// Asterisk's own.
    pub(crate) fn reckon(mut self) {
        self.settle();
        let tally = &self.tally;
        println!(
            "{} on Asterisk {}: {tally}",
            self.name, self.asterisk.version
        );
        assert!(tally.success > 100 && tally.unanswered == 0, "{tally}");
        let shown = self.bridge.acme_ok("action=showqueue&queue=6001");
        let shown = shown["queues"][0]["members"].as_array().expect("members");
        let truth = self.asterisk.ami().members("acme-6001");
        assert_eq!(shown.len(), truth.len());
        for (member, row) in shown.iter().zip(truth) {
            assert_eq!(member["interface"], row["Location"].as_str());
            assert_eq!(member["paused"], row["Paused"] == "1");
            assert_eq!(
                member["paused_reason"].as_str().unwrap_or_default(),
                row["PausedReason"]
            );
        }
        let (status, _) = self.bridge.stop();
        assert!(status.success());
    }
}

/// Waits until the bridge has answered a few times more.
pub(crate) fn work(bridge: &Bridge) {
    for _ in 0..20 {
        eventually("changes are made", || {
            let query = "action=showstate&agent=1001";
            let response = bridge.get_as(crate::support::ACME, query);
            (response.status == 200).then_some(())
        });
    }
}

fn killed_and_started_again(version: u32) {
    let mut scene = Scene::new(version, "kill -9");
    for round in 0..3 {
        scene.fault(round, |asterisk, _| {
            asterisk.kill();
            asterisk.restart();
        });
    }
    scene.reckon();
}

fn restarted_by_its_operator(version: u32) {
    let mut scene = Scene::new(version, "core restart now");
    for round in 0..3 {
        scene.fault(round, |asterisk, _| {
            let uptime = |asterisk: &Asterisk| asterisk.cli("core show uptime seconds");
            asterisk.cli("core restart now");
            eventually("it is up again", || {
                let booted = asterisk
                    .cli("core waitfullybooted")
                    .contains("fully booted");
                (booted && uptime(asterisk).contains("System uptime: ")).then_some(())
            });
        });
    }
    assert!(
        scene
            .bridge
            .log()
            .contains("Asterisk announces that it shuts down")
    );
    scene.reckon();
}

fn a_graceful_stop_that_is_called_off(version: u32) {
    let mut scene = Scene::new(version, "core stop gracefully, called off");
    // A call keeps the stop pending.
    scene.asterisk.add_caller("acme-6001");
    eventually("a call is up", || {
        let channels = scene.asterisk.cli("core show channels");
        (!channels.contains("0 active calls")).then_some(())
    });
    for round in 0..3 {
        scene.fault(round, |asterisk, _| {
            let asterisk = &*asterisk;
            std::thread::scope(|scope| {
                scope.spawn(|| asterisk.cli("core stop gracefully"));
                let mut ami = None;
                eventually("the stop is pending", || {
                    let ami = ami.get_or_insert_with(|| asterisk.ami());
                    let answer = ami.send("Action: Ping");
                    (answer.get("Message")? == "Asterisk is shutting down").then_some(())
                });
                sleep(Duration::from_millis(300));
                asterisk.cli("core abort shutdown");
            });
        });
    }
    scene.reckon();
}

fn frozen_for_twenty_seconds(version: u32) {
    let mut scene = Scene::new(version, "SIGSTOP for 20 s");
    let lost = |bridge: &Bridge| bridge.log().contains("Asterisk has stopped answering");
    let bridge = &scene.bridge;
    let (asterisk, mut given_up_after) = (&scene.asterisk, None);
    let (answers, ()) = run_load(bridge, "r0", || {
        work(bridge);
        asterisk.freeze();
        let frozen = Instant::now();
        eventually("the peer is given up", || lost(bridge).then_some(()));
        given_up_after = Some(frozen.elapsed());
        sleep(Duration::from_secs(20).saturating_sub(frozen.elapsed()));
        asterisk.resume();
        bridge.wait_ready();
        work(bridge);
    });
    scene.answers.merge(answers);
    let given_up_after = given_up_after.expect("measured");
    println!("given up after {given_up_after:?}");
    // Ten seconds, and what a busy machine needs to tell.
    assert!(
        given_up_after < Duration::from_secs(11),
        "{given_up_after:?}"
    );
    scene.reckon();
}

fn reloads_of_the_manager(version: u32) {
    let mut scene = Scene::new(version, "manager reload");
    for round in 0..3 {
        scene.fault(round, |asterisk, _| {
            asterisk.cli("manager reload");
        });
    }
    scene.reckon();
}

fn app_queue_unloaded_and_loaded(version: u32) {
    let mut scene = Scene::new(version, "module unload/load app_queue.so");
    for round in 0..3 {
        scene.fault(round, |asterisk, _| {
            // Refused while an action runs; and a crash is not unheard of.
            eventually("app_queue is unloaded", || {
                let said = asterisk.cli("module unload app_queue.so");
                (said.contains("Unloaded") || asterisk.has_exited()).then_some(())
            });
            sleep(Duration::from_millis(200));
            asterisk.cli("module load app_queue.so");
            if asterisk.has_exited() {
                println!("Asterisk {} has crashed on the unload", asterisk.version);
                asterisk.restart();
            }
        });
    }
    scene.reckon();
}

fn connections_cut(version: u32) {
    let mut scene = Scene::new(version, "connection cut");
    for round in 0..4 {
        scene.fault(round, |_, proxy| proxy.close_connections());
        scene.lost_links(round + 1);
    }
    scene.reckon();
}

fn a_pulled_cable(version: u32) {
    let mut scene = Scene::new(version, "pulled cable");
    let bridge = &scene.bridge;
    let proxy = &scene.proxy;
    let (answers, ()) = run_load(bridge, "r0", || {
        work(bridge);
        proxy.set_network(Network::BlackHole);
        eventually("the peer is given up", || {
            let given_up = bridge.log().contains("Asterisk has stopped answering");
            given_up.then_some(())
        });
        proxy.set_network(Network::Normal);
        bridge.wait_ready();
        work(bridge);
    });
    scene.answers.merge(answers);
    scene.reckon();
}

fn answers_cut_in_their_middle(version: u32) {
    let mut scene = Scene::new(version, "answer cut in its middle");
    for round in 0..4 {
        scene.fault(round, |_, proxy| proxy.truncate_next_read());
        scene.lost_links(round + 1);
    }
    scene.reckon();
}

fn bytes_one_at_a_time_and_late(version: u32) {
    let mut scene = Scene::new(version, "split and late bytes");
    for (round, network) in [Network::SingleBytes, Network::Slow]
        .into_iter()
        .enumerate()
    {
        scene.fault(round, |_, proxy| {
            proxy.set_network(network);
            sleep(Duration::from_millis(500));
            proxy.set_network(Network::Normal);
        });
    }
    scene.reckon();
}
