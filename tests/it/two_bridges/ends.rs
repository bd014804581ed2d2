//! Each bridge is stopped or killed and restarted in turn, under load.

use super::load::under_load;
use super::{CLIENTS, Client, NAMES, Setup, add_agents, address};
use crate::support::{Bridge, Outcomes, eventually, on_both_versions};

on_both_versions!(
    restarting_each_bridge_in_turn_fails_no_read,
    pending_change_of_a_killed_bridge_is_not_retried,
);

fn restarting_each_bridge_in_turn_fails_no_read(version: u32) {
    let mut setup = Setup::start(version, "info");
    add_agents(setup.bridge(0));
    setup.asterisk.take_queue_log();
    for (number, name) in NAMES.into_iter().enumerate() {
        let killed = format!("kill-9-{name}");
        let tally = under_load(&mut setup, &killed, |setup, load| {
            setup.kill(number);
            setup.haproxy.wait_for_status(name, "DOWN");
            load.wait_rounds();
            setup.restart(number);
            setup.haproxy.wait_for_status(name, "UP");
        });
        assert!(tally.unknown <= CLIENTS, "{tally}");
        // Like `systemctl restart`, after which the bridge is running again before HAProxy
        // notices the stop.
        let restarted = format!("restart-{name}");
        let tally = under_load(&mut setup, &restarted, |setup, _| {
            setup.stop(number);
            setup.restart(number);
        });
        assert!(tally.unknown <= CLIENTS, "{tally}");
    }
    for (number, name) in NAMES.into_iter().enumerate() {
        let upgraded = format!("upgrade-{name}");
        let tally = under_load(&mut setup, &upgraded, |setup, load| {
            setup.haproxy.drain(name);
            setup.stop(number);
            load.wait_rounds();
            setup.restart(number);
            setup.haproxy.enable(name);
        });
        assert_eq!(tally.unknown, 0, "{tally}");
    }
    let logs = [0, 1].map(|number| setup.bridge(number).log());
    for client in 0..CLIENTS {
        let from = format!("\"client\":\"{}\"", address(client));
        assert!(logs.iter().any(|log| log.contains(&from)), "{from}");
    }
    assert!(!setup.haproxy.log().contains("password"));
}

/// Kills a bridge while its changes and queries are pending in a frozen Asterisk.
fn pending_change_of_a_killed_bridge_is_not_retried(version: u32) {
    let mut setup = Setup::start(version, "info,ami_bridge::wire=trace");
    add_agents(setup.bridge(0));
    setup.asterisk.take_queue_log();
    let pause_count = |bridge: &Bridge| bridge.sent_count("QueuePause { queue: \"acme");
    let query_count =
        |bridge: &Bridge| bridge.sent_count("QueueStatus { queue: None, member: None");
    let before = [0, 1].map(|number| query_count(setup.bridge(number)));
    setup.asterisk.freeze();
    std::thread::scope(|scope| {
        let client = |number| Client::new(number, &setup.haproxy);
        let clients: Vec<_> = (0..CLIENTS).map(|n| (client(n), client(n))).collect();
        let (mut changes, mut reads) = (Vec::new(), Vec::new());
        for (mut changing, mut reading) in clients {
            let reason = format!("pending-{}", changing.number);
            changes.push(scope.spawn(move || (changing.change(0, &reason).outcome(), reason)));
            let read = "action=showqueue&queue=6002&fresh=1";
            reads.push(scope.spawn(move || reading.get(read).outcome()));
        }
        let sent = eventually("both bridges have sent their requests", || {
            let bridges = [0, 1].map(|number| setup.bridge(number));
            let sent = bridges.map(pause_count);
            let reads = bridges
                .map(query_count)
                .iter()
                .zip(before)
                .all(|(n, b)| *n > b);
            (reads && sent.iter().sum::<usize>() == CLIENTS).then_some(sent)
        });
        assert!(!sent.contains(&0), "HAProxy sent all clients to one bridge");
        setup.kill(0);
        eventually("the killed bridge's changes are answered", || {
            let answered = changes.iter().filter(|change| change.is_finished());
            (answered.count() == sent[0]).then_some(())
        });
        setup.asterisk.resume();
        let mut outcomes = Outcomes::default();
        for change in changes {
            let (outcome, reason) = change.join().expect("no panic in a client thread");
            outcomes.record(reason, outcome);
        }
        for read in reads {
            assert_eq!(
                read.join().expect("no panic in a client thread"),
                "200 success"
            );
        }
        let tally = outcomes.check_against_queue_log(&setup.asterisk.queue_log());
        println!("two bridges, Asterisk {version}, killed with pending changes: {tally}");
        assert_eq!([tally.unknown, tally.success], sent);
        assert_eq!(
            pause_count(setup.bridge(1)),
            sent[1],
            "a change was retried"
        );
    });
}
