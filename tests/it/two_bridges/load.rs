//! Clients that continuously send changes and reads through HAProxy.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{CLIENTS, Client, Setup, agent};
use crate::mirror::expected::assert_equal;
use crate::support::{Outcomes, SetOnDrop, Tally, eventually};

/// The progress and results of the clients in [`under_load`].
#[derive(Default)]
pub(super) struct Load {
    rounds: [AtomicUsize; CLIENTS],
    done: AtomicBool,
    outcomes: Mutex<Outcomes>,
    /// Reads with a status other than 200.
    failed_reads: Mutex<Vec<String>>,
}

impl Load {
    /// Alternates changes and reads until `done` is set.
    fn run(&self, name: &str, mut client: Client) {
        let mut outcomes = Outcomes::default();
        for round in 0.. {
            if self.done.load(Ordering::Relaxed) {
                break;
            }
            let reason = format!("{name}-{}-{round}", client.number);
            let outcome = client.change(round, &reason).outcome();
            outcomes.record(reason, outcome);
            let read = match round % 3 {
                0 => "action=showqueue&queue=6001".to_owned(),
                1 => "action=showqueuestat".to_owned(),
                _ => format!("action=showstate&agent={}", agent(client.number)),
            };
            let response = client.get(&read);
            if response.status != 200 {
                let mut failed = self.failed_reads.lock().expect("an unpoisoned lock");
                failed.push(format!("{read}: {}", response.outcome()));
            }
            self.rounds[client.number].fetch_add(1, Ordering::Relaxed);
        }
        self.outcomes
            .lock()
            .expect("an unpoisoned lock")
            .merge(outcomes);
    }

    /// Waits until each client has completed five more rounds.
    pub(super) fn wait_rounds(&self) {
        let now = || self.rounds.each_ref().map(|n| n.load(Ordering::Relaxed));
        let before = now();
        eventually("every client makes progress", || {
            let mut pairs = now().into_iter().zip(before);
            pairs.all(|(now, before)| now >= before + 5).then_some(())
        });
    }
}

/// Runs `act` while the clients send changes and reads. Checks the changes' outcomes against
/// Asterisk's `queue_log`, and returns the tally.
pub(super) fn under_load(setup: &mut Setup, name: &str, act: impl Fn(&mut Setup, &Load)) -> Tally {
    let load = Load::default();
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let client = Client::new(number, &setup.haproxy);
            let load = &load;
            scope.spawn(move || load.run(name, client));
        }
        // Stops the clients even if `act` panics. Otherwise the scope would wait for them
        // forever.
        let _stop_clients = SetOnDrop(&load.done);
        load.wait_rounds();
        act(setup, &load);
        load.wait_rounds();
    });
    let reads: usize = load.rounds.iter().map(|n| n.load(Ordering::Relaxed)).sum();
    let failed = load.failed_reads.into_inner().expect("an unpoisoned lock");
    assert_eq!(failed, Vec::<String>::new(), "{name}");
    let outcomes = load.outcomes.into_inner().expect("an unpoisoned lock");
    let tally = outcomes.check_against_queue_log(&setup.asterisk.take_queue_log());
    println!(
        "two bridges, Asterisk {}, {name}: {tally}; {reads} reads, none failed",
        setup.asterisk.version
    );
    // If a bridge has not sent a request to Asterisk, HAProxy must retry the request on the
    // other bridge.
    assert_eq!(tally.not_sent, 0, "{name}");
    for number in [0, 1] {
        assert_equal(&setup.asterisk, setup.bridge(number));
    }
    tally
}
