//! A bridge ends and comes back, then the other, under load.

use super::load::under_load;
use super::{CLIENTS, Client, NAMES, World, add_agents, address};
use crate::support::{Answers, Bridge, eventually, on_both_generations};

on_both_generations!(
    one_ends_after_the_other_and_no_read_fails,
    a_change_under_way_is_not_sent_again,
);

fn one_ends_after_the_other_and_no_read_fails(version: u32) {
    let mut world = World::start(version, "info");
    add_agents(world.bridge(0));
    world.asterisk.take_queue_log();
    for (number, name) in NAMES.into_iter().enumerate() {
        let killed = format!("kill-9-{name}");
        let figures = under_load(&mut world, &killed, |world, load| {
            world.kill(number);
            world.haproxy.wait_for(name, "DOWN");
            load.wait_rounds();
            world.start_again(number);
            world.haproxy.wait_for(name, "UP");
        });
        assert!(figures.unknown <= CLIENTS, "{figures}");
        // As "systemctl restart" does: it is back before HAProxy has noticed anything.
        let restarted = format!("restart-{name}");
        let figures = under_load(&mut world, &restarted, |world, _| {
            world.stop(number);
            world.start_again(number);
        });
        assert!(figures.unknown <= CLIENTS, "{figures}");
    }
    for (number, name) in NAMES.into_iter().enumerate() {
        let upgraded = format!("upgrade-{name}");
        let figures = under_load(&mut world, &upgraded, |world, load| {
            world.haproxy.drain(name);
            world.stop(number);
            load.wait_rounds();
            world.start_again(number);
            world.haproxy.take_up(name);
        });
        assert_eq!(figures.unknown, 0, "{figures}");
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
    let pauses = |bridge: &Bridge| bridge.sent("QueuePause { queue: \"acme");
    let questions = |bridge: &Bridge| bridge.sent("QueueStatus { queue: None, member: None");
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
            reads.push(scope.spawn(move || reading.ask(read).outcome()));
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
        world.asterisk.thaw();
        let mut answers = Answers::default();
        for change in changes {
            let (outcome, reason) = change.join().expect("a client");
            answers.note(reason, outcome);
        }
        for read in reads {
            assert_eq!(read.join().expect("a client"), "200 success");
        }
        let figures = answers.reckon(&world.asterisk.queue_log());
        println!("two bridges, Asterisk {version}, killed with changes under way: {figures}");
        assert_eq!([figures.unknown, figures.success], sent);
        assert_eq!(pauses(world.bridge(1)), sent[1], "nothing was sent again");
    });
}
