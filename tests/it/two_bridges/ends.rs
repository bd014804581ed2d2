//! A bridge ends and comes back, then the other, under load.

use super::load::under_load;
use super::{CLIENTS, Client, NAMES, World, add_agents, address};
use crate::support::{Bridge, Outcomes, eventually, on_both_versions};

on_both_versions!(
    one_ends_after_the_other_and_no_read_fails,
    a_change_under_way_is_not_sent_again,
);

fn one_ends_after_the_other_and_no_read_fails(version: u32) {
    let mut world = World::start(version, "info");
    add_agents(world.bridge(0));
    world.asterisk.take_queue_log();
    for (number, name) in NAMES.into_iter().enumerate() {
        let killed = format!("kill-9-{name}");
        let tally = under_load(&mut world, &killed, |world, load| {
            world.kill(number);
            world.haproxy.wait_for_status(name, "DOWN");
            load.wait_rounds();
            world.restart(number);
            world.haproxy.wait_for_status(name, "UP");
        });
        assert!(tally.unknown <= CLIENTS, "{tally}");
        // As "systemctl restart" does: it is back before HAProxy has noticed anything.
        let restarted = format!("restart-{name}");
        let tally = under_load(&mut world, &restarted, |world, _| {
            world.stop(number);
            world.restart(number);
        });
        assert!(tally.unknown <= CLIENTS, "{tally}");
    }
    for (number, name) in NAMES.into_iter().enumerate() {
        let upgraded = format!("upgrade-{name}");
        let tally = under_load(&mut world, &upgraded, |world, load| {
            world.haproxy.drain(name);
            world.stop(number);
            load.wait_rounds();
            world.restart(number);
            world.haproxy.enable(name);
        });
        assert_eq!(tally.unknown, 0, "{tally}");
    }
    let logs = [0, 1].map(|number| world.bridge(number).log());
    for client in 0..CLIENTS {
        let from = format!("\"client\":\"{}\"", address(client));
        assert!(logs.iter().any(|log| log.contains(&from)), "{from}");
    }
    assert!(!world.haproxy.log().contains("password"));
}

/// Asterisk stands still while a bridge is killed that has asked it for changes and
/// reads.
fn a_change_under_way_is_not_sent_again(version: u32) {
    let mut world = World::start(version, "info,ami_bridge::wire=trace");
    add_agents(world.bridge(0));
    world.asterisk.take_queue_log();
    let pauses = |bridge: &Bridge| bridge.sent_count("QueuePause { queue: \"acme");
    let questions = |bridge: &Bridge| bridge.sent_count("QueueStatus { queue: None, member: None");
    let before = [0, 1].map(|number| questions(world.bridge(number)));
    world.asterisk.freeze();
    std::thread::scope(|scope| {
        let client = |number| Client::new(number, &world.haproxy);
        let clients: Vec<_> = (0..CLIENTS).map(|n| (client(n), client(n))).collect();
        let (mut changes, mut reads) = (Vec::new(), Vec::new());
        for (mut changing, mut reading) in clients {
            let reason = format!("under-way-{}", changing.number);
            changes.push(scope.spawn(move || (changing.change(0, &reason).outcome(), reason)));
            let read = "action=showqueue&queue=6002&fresh=1";
            reads.push(scope.spawn(move || reading.get(read).outcome()));
        }
        let sent = eventually("Asterisk is asked by both", || {
            let bridges = [0, 1].map(|number| world.bridge(number));
            let sent = bridges.map(pauses);
            let reads = bridges
                .map(questions)
                .iter()
                .zip(before)
                .all(|(n, b)| *n > b);
            (reads && sent.iter().sum::<usize>() == CLIENTS).then_some(sent)
        });
        assert!(!sent.contains(&0), "all clients are with one bridge");
        world.kill(0);
        eventually("the killed bridge's changes are answered", || {
            let answered = changes.iter().filter(|change| change.is_finished());
            (answered.count() == sent[0]).then_some(())
        });
        world.asterisk.resume();
        let mut answers = Outcomes::default();
        for change in changes {
            let (outcome, reason) = change.join().expect("a client");
            answers.record(reason, outcome);
        }
        for read in reads {
            assert_eq!(read.join().expect("a client"), "200 success");
        }
        let tally = answers.check_against_queue_log(&world.asterisk.queue_log());
        println!("two bridges, Asterisk {version}, killed with changes under way: {tally}");
        assert_eq!([tally.unknown, tally.success], sent);
        assert_eq!(pauses(world.bridge(1)), sent[1], "nothing was sent again");
    });
}
