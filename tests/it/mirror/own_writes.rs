//! Clients read their own writes: after a change is acknowledged, the client's next read shows
//! the change, even while another session changes other agents in the same queues.
//!
//! By default, the test makes 2000 changes. To make more:
//! `AMI_BRIDGE_OWN_WRITES=100000 cargo test --release --test it own_writes -- --nocapture`

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use fastrand::Rng;
use serde_json::Value;

use super::start_live;
use crate::support::{
    ACME, API_PATH, Asterisk, Bridge, KeepAliveConnection, SetOnDrop, on_both_versions,
};

on_both_versions!(next_read_shows_every_acknowledged_change);

const CLIENTS: usize = 8;

const QUEUES: [&str; 2] = ["6001", "6003"];

fn next_read_shows_every_acknowledged_change(version: u32) {
    let changes = std::env::var("AMI_BRIDGE_OWN_WRITES").ok();
    let changes = changes.and_then(|text| text.parse().ok()).unwrap_or(2000);
    let (asterisk, bridge) = start_live(version);
    let done = AtomicBool::new(false);
    let begun = Instant::now();
    let (mut acknowledged, mut failures, mut other_changes) = (0, Vec::new(), 0);
    std::thread::scope(|scope| {
        let other_session = scope.spawn(|| change_others(&asterisk, &done));
        let _stop_other_session = SetOnDrop(&done);
        let clients = (0..CLIENTS).map(|number| {
            let client = Client::new(&bridge, number);
            scope.spawn(move || client.run(changes / CLIENTS))
        });
        for client in clients.collect::<Vec<_>>() {
            let (count, client_failures) = client.join().expect("no panic in a client thread");
            acknowledged += count;
            failures.extend(client_failures);
        }
        done.store(true, Ordering::Relaxed);
        other_changes = other_session.join().expect("no panic in the other session");
    });
    println!(
        "own writes, Asterisk {version}: {acknowledged} acknowledged, {} shown by the next read, \
        {other_changes} concurrent changes from another session, {} s",
        acknowledged - failures.len(),
        begun.elapsed().as_secs()
    );
    assert_eq!(failures, Vec::<String>::new());
    assert_eq!(acknowledged, changes / CLIENTS * CLIENTS);
}

/// Changes other agents in the same queues through another session until `done` is set.
/// Returns the number of changes.
fn change_others(asterisk: &Asterisk, done: &AtomicBool) -> usize {
    let mut ami = asterisk.ami();
    let mut rng = Rng::new();
    let mut count = 0;
    while !done.load(Ordering::Relaxed) {
        let agent = rng.u16(1020..1030);
        let queue = rng.choice(QUEUES).expect("a queue");
        let action = ["QueueAdd", "QueuePause", "QueuePause", "QueueRemove"][rng.usize(..4)];
        let paused = rng.bool();
        ami.send(&format!(
            "Action: {action}\r\nQueue: acme-{queue}\r\nInterface: Local/{agent}@acme-agents\r\n\
             Paused: {paused}\r\nReason: other"
        ));
        count += 1;
        // Limits the rate, so that the clients make progress.
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    count
}

/// The queues in which the client's agent is a member. The value is the pause reason, or
/// `None` if the agent is not paused.
type Memberships = BTreeMap<&'static str, Option<String>>;

/// A client that changes its own agent, which no other client changes.
struct Client {
    connection: KeepAliveConnection,
    agent: usize,
    rng: Rng,
    expected: Memberships,
}

impl Client {
    fn new(bridge: &Bridge, number: usize) -> Self {
        Self {
            connection: KeepAliveConnection::new(bridge.address),
            agent: 1001 + number,
            rng: Rng::new(),
            expected: Memberships::new(),
        }
    }

    /// Makes `changes` changes, each followed by a read. Returns the number of acknowledged
    /// changes, and a message for each change that the following read did not show.
    fn run(mut self, changes: usize) -> (usize, Vec<String>) {
        let mut failures = Vec::new();
        for round in 0..changes {
            let change = self.choose_change(round);
            let body = self.get(&format!("{change}&agent={}", self.agent));
            assert_eq!(body["status"], "success", "{change}: {body}");
            let shown = if round % 2 == 0 {
                self.read_with_showqueue()
            } else {
                self.read_with_showstate()
            };
            if shown != self.expected {
                failures.push(format!(
                    "{change}: read {shown:?}, expected {:?}",
                    self.expected
                ));
            }
        }
        (changes, failures)
    }

    /// Chooses a change that must succeed, and updates the expected memberships.
    fn choose_change(&mut self, round: usize) -> String {
        let queue = self.rng.choice(QUEUES).expect("a queue");
        let reason = format!("{}-{round}", self.agent);
        if !self.expected.contains_key(queue) {
            let paused = self.rng.bool();
            self.expected.insert(queue, paused.then(|| reason.clone()));
            let reason = if paused {
                format!("&reason={reason}")
            } else {
                String::new()
            };
            return format!("add&queue={queue}&alias=A{round}&paused={paused}{reason}");
        }
        match self.rng.u8(..10) {
            0..4 => {
                self.expected.insert(queue, Some(reason.clone()));
                format!("pause&queue={queue}&reason={reason}")
            }
            4..6 => {
                self.expected.insert(queue, None);
                format!("unpause&queue={queue}")
            }
            6..8 => {
                let pauses = self.expected.values_mut();
                pauses.for_each(|pause| *pause = Some(reason.clone()));
                format!("pause&reason={reason}")
            }
            8 => {
                self.expected.values_mut().for_each(|pause| *pause = None);
                "unpause".to_owned()
            }
            _ => {
                self.expected.remove(queue);
                format!("remove&queue={queue}")
            }
        }
    }

    fn read_with_showqueue(&mut self) -> Memberships {
        let body = self.get("showqueue&queue=6001,6003");
        let agent = self.agent.to_string();
        let queues = body["queues"].as_array().expect("queues").iter();
        let members = queues.flat_map(|queue| {
            let members = queue["members"].as_array().expect("members").iter();
            members.map(|member| (&queue["queue"], member))
        });
        memberships(members.filter(|(_, member)| member["agent"] == *agent))
    }

    fn read_with_showstate(&mut self) -> Memberships {
        let body = self.get(&format!("showstate&agent={}", self.agent));
        let queues = body["queues"].as_array().expect("queues").iter();
        memberships(queues.map(|member| (&member["queue"], member)))
    }

    fn get(&mut self, action: &str) -> Value {
        let (username, password) = (ACME.username, ACME.password);
        let target = format!("{API_PATH}?username={username}&password={password}&action={action}");
        self.connection.get(&target).expect("a response").json()
    }
}

fn memberships<'a>(members: impl Iterator<Item = (&'a Value, &'a Value)>) -> Memberships {
    let queue_name = |queue: &Value| {
        *QUEUES
            .iter()
            .find(|name| *queue == **name)
            .expect("a queue")
    };
    let reason = |member: &Value| {
        let reason = member["paused_reason"].as_str().map(str::to_owned);
        (member["paused"] == true).then(|| reason.unwrap_or_default())
    };
    members
        .map(|(queue, member)| (queue_name(queue), reason(member)))
        .collect()
}
