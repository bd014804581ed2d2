//! Timed pauses while queues are reloaded, Asterisk is restarted, the link is cut, or the
//! bridge is stopped.

use std::fmt::Write as _;

use super::changes::{ADD, LUNCH, PAUSE, PAUSE_WITHOUT_REASON, REMOVE, UNPAUSE};
use super::steps::Expected::{Ends, EndsAfter, Removed, Stays, Unpaused};
use super::steps::Step::{Api, NewSecond, Wait};
use super::steps::{Case, Step, run_disturbed_cases};
use super::watch::EventWatch;
use super::{LUNCH_SECONDS, Scene};
use crate::mirror::run_in_parallel;
use crate::support::{Network, eventually, on_both_versions, sample_config};

on_both_versions!(
    pauses_survive_reloads_of_queues,
    pauses_survive_restarts_of_asterisk,
    pauses_survive_a_cut_link_and_restarts_of_the_bridge,
);

/// Each command makes Asterisk read `queues.conf` again. It sends an event for the first only.
fn pauses_survive_reloads_of_queues(version: u32) {
    let commands = ["module reload app_queue.so", "queue reload all"];
    run_in_parallel(&commands, |command| reload(version, command));
}

fn pauses_survive_restarts_of_asterisk(version: u32) {
    run_in_parallel(&[restart_seen, restart_unseen], |test| test(version));
}

fn pauses_survive_a_cut_link_and_restarts_of_the_bridge(version: u32) {
    let tests = [
        survive_a_cut_link,
        survive_a_killed_bridge,
        survive_a_stopped_bridge,
    ];
    run_in_parallel(&tests, |test| test(version));
}

/// A pause that ends some seconds after a reload.
const TIMED: Step = Api("pause&queue=6001&reason=Tea&duration=7");

/// A pause that ends some seconds after an outage.
const LONG: Step = Api("pause&queue=6001&reason=Tea&duration=12");

/// A pause that ends during an outage.
const SHORT: Step = Api("pause&queue=6001&reason=Tea&duration=3");

/// The bridge receives the event of the previous step within this time.
const HEARD: Step = Wait(300);
/// The first and the number of the agents that are static members in [`queues_conf`].
const STATIC_AGENTS: std::ops::Range<u16> = 1001..1006;

/// Returns a `queues.conf` in which the agents of the first cases are static members. Asterisk
/// re-reads a file only if it has changed, so that each `revision` makes it do that.
fn queues_conf(revision: u8) -> String {
    let mut text = sample_config("queues.conf") + "\n[acme-6001](+)\n";
    for agent in STATIC_AGENTS {
        let _ = writeln!(text, "member => Local/{agent}@acme-agents,0,{agent}");
    }
    let _ = writeln!(text, "servicelevel = {}", 30 + revision);
    text
}

/// Returns cases for a reload. The agents of the first five are static members.
fn reload_cases() -> Vec<Case> {
    let case = |name, steps: &[Step], after: &[Step], expected| Case {
        name,
        steps: steps.to_vec(),
        after: after.to_vec(),
        expected: vec![("6001", expected)],
        ..Case::default()
    };
    vec![
        case("static member", &[TIMED], &[], Ends),
        case(
            "static member, paused again without a reason, as after the reload",
            &[TIMED],
            &[Wait(1100), PAUSE_WITHOUT_REASON],
            Stays(""),
        ),
        case(
            "static member, paused again with the same reason",
            &[TIMED],
            &[Wait(1100), PAUSE],
            Stays("Tea"),
        ),
        case("static member, unpaused", &[TIMED], &[UNPAUSE], Unpaused),
        case(
            "static member, paused again before the reload",
            &[TIMED, Wait(1100), PAUSE],
            &[],
            // A reload drops the reasons of static members.
            Stays(""),
        ),
        case("dynamic member", &[TIMED], &[], Ends),
        case(
            "dynamic member, paused without a reason",
            &[Api("pause&queue=6001&duration=7")],
            &[],
            Ends,
        ),
        case(
            "dynamic member, paused again with the same reason",
            &[TIMED],
            &[Wait(1100), PAUSE],
            Stays("Tea"),
        ),
        case("dynamic member, unpaused", &[TIMED, UNPAUSE], &[], Unpaused),
        case("dynamic member, removed", &[TIMED, REMOVE], &[], Removed),
        case(
            "dynamic member, paused again before the reload",
            &[TIMED, Wait(1100), PAUSE],
            &[],
            Stays("Tea"),
        ),
        case(
            "dynamic member, paused again by the bridge after the reload",
            &[TIMED],
            &[Api("pause&queue=6001&reason=Tea&duration=3")],
            Ends,
        ),
    ]
}

fn reload(version: u32, command: &str) {
    let mut scene = Scene::start(version, &[("queues.conf", &queues_conf(0))]);
    let reload = |scene: &mut Scene| {
        scene.asterisk.write_config("queues.conf", &queues_conf(1));
        scene.asterisk.cli(command);
        // A reload drops the reason of a paused static member.
        eventually("Asterisk has read queues.conf again", || {
            let pause = super::pause_in_asterisk(&mut scene.asterisk.ami(), "acme-6001", 1001);
            (pause == Some((true, String::new()))).then_some(())
        });
    };
    run_disturbed_cases(&mut scene, &reload_cases(), reload, |_| {});
}

/// Returns cases for a disturbance during which Asterisk either does not run, so that nothing
/// can happen, or runs without being seen.
fn outage_cases(unseen: bool) -> Vec<Case> {
    let case = |name, steps: &[Step], during: &[Step], after: &[Step], expected| Case {
        name,
        steps: steps.to_vec(),
        during: during.to_vec(),
        after: after.to_vec(),
        expected: vec![("6001", expected)],
    };
    let mut cases = vec![
        case("ends after the outage", &[LONG], &[], &[], Ends),
        case("ends during the outage", &[SHORT], &[], &[], Ends),
        case(
            "paused again before the outage, in the same second",
            &[NewSecond, LONG, PAUSE, HEARD],
            &[],
            &[],
            Stays("Tea"),
        ),
        case(
            "unpaused before the outage",
            &[LONG, UNPAUSE, HEARD],
            &[],
            &[],
            Unpaused,
        ),
        case(
            "removed before the outage",
            &[LONG, REMOVE, HEARD],
            &[],
            &[],
            Removed,
        ),
        case(
            "paused again after the outage",
            &[LONG],
            &[],
            &[Wait(1100), PAUSE],
            Stays("Tea"),
        ),
        case(
            "unpaused after the outage",
            &[LONG],
            &[],
            &[UNPAUSE],
            Unpaused,
        ),
        case(
            "paused again by the bridge after the outage",
            &[LONG],
            &[],
            &[Api("pause&queue=6001&reason=Tea&duration=3")],
            Ends,
        ),
    ];
    if unseen {
        cases.extend([
            case(
                "paused again during the outage",
                &[LONG],
                &[Wait(1100), PAUSE],
                &[],
                Stays("Tea"),
            ),
            case(
                "paused again during the outage, after its end",
                &[SHORT],
                &[Wait(1500), PAUSE],
                &[],
                Stays("Tea"),
            ),
            case(
                "unpaused during the outage",
                &[LONG],
                &[UNPAUSE],
                &[],
                Unpaused,
            ),
            case(
                "unpaused and paused again during the outage",
                &[LONG],
                &[Wait(1100), UNPAUSE, PAUSE],
                &[],
                Stays("Tea"),
            ),
            case(
                "removed during the outage",
                &[LONG],
                &[REMOVE],
                &[],
                Removed,
            ),
            case(
                "removed and added again paused during the outage",
                &[LONG],
                // If a member is added and paused in the same second, it looks as after a restart.
                &[REMOVE, ADD, Wait(1100), PAUSE],
                &[],
                Stays("Tea"),
            ),
            case(
                "paused elsewhere during the outage, with a reason that ends",
                &[],
                &[LUNCH],
                &[],
                EndsAfter(LUNCH_SECONDS),
            ),
        ]);
    }
    cases
}

/// Waits until the short pauses have ended unseen.
fn wait_for_short_ends() {
    // The steps before and during the outage take the rest of the three seconds.
    std::thread::sleep(std::time::Duration::from_millis(1000));
}

/// Stops Asterisk, which then saves its members, and starts it again.
fn restart_asterisk(scene: &mut Scene) {
    scene.asterisk.cli("core stop now");
    scene.asterisk.wait_for_exit();
    scene.asterisk.restart();
    scene.watch = EventWatch::start(&scene.asterisk);
}

fn restart_seen(version: u32) {
    let mut scene = Scene::start(version, &[]);
    // Until Asterisk is ready again, the short pauses may or may not have ended.
    let ready = |scene: &mut Scene| scene.bridge().wait_ready();
    run_disturbed_cases(&mut scene, &outage_cases(false), restart_asterisk, ready);
}

/// Cuts the link and prevents a new one.
fn cut_link(scene: &mut Scene) {
    scene.proxy.set_network(Network::BlackHole);
    scene.proxy.close_connections();
    eventually("the bridge notices that the link is cut", || {
        (!scene.bridge().is_ready()).then_some(())
    });
}

fn mend_link(scene: &mut Scene) {
    wait_for_short_ends();
    scene.proxy.set_network(Network::Normal);
    scene.proxy.close_connections();
    scene.bridge().wait_ready();
}

fn survive_a_cut_link(version: u32) {
    let mut scene = Scene::start(version, &[]);
    run_disturbed_cases(&mut scene, &outage_cases(true), cut_link, mend_link);
}

/// Asterisk resets the times of all pauses while the bridge does not see it.
fn restart_unseen(version: u32) {
    let mut scene = Scene::start(version, &[]);
    let restart = |scene: &mut Scene| {
        cut_link(scene);
        restart_asterisk(scene);
    };
    run_disturbed_cases(&mut scene, &outage_cases(true), restart, mend_link);
}

fn survive_a_killed_bridge(version: u32) {
    let mut scene = Scene::start(version, &[]);
    let kill = |scene: &mut Scene| scene.kill_bridge();
    let restart = |scene: &mut Scene| {
        wait_for_short_ends();
        scene.restart_bridge();
    };
    run_disturbed_cases(&mut scene, &outage_cases(true), kill, restart);
}

fn survive_a_stopped_bridge(version: u32) {
    let mut scene = Scene::start(version, &[]);
    let stop = |scene: &mut Scene| {
        let bridge = scene.bridge.take().expect("a running bridge");
        assert!(bridge.stop().0.success(), "the bridge stops cleanly");
    };
    let restart = |scene: &mut Scene| {
        wait_for_short_ends();
        scene.restart_bridge();
    };
    run_disturbed_cases(&mut scene, &outage_cases(true), stop, restart);
}
