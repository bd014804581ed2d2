//! The bridge is killed with SIGKILL at moments that a proxy chooses, and at random ones, and
//! started again on the same state directory.
//!
//! By default, the test kills a bridge at each moment on each version. To kill 90, the maximum, on
//! each:
//! `AMI_BRIDGE_KILLS=90 cargo test --release --test it timed_pauses::kill -- --nocapture`

mod check;

use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;

use super::{Scene, TIME_OVER, interface, log_rows, parse_time, pause_in_asterisk, wait_until};
use crate::support::{
    ACME, API_PATH, HeldBytes, Hold, KeepAliveConnection, Response, on_both_versions,
};

on_both_versions!(killed_bridge_ends_every_promised_pause_once_and_no_other);

const QUEUE: &str = "acme-6001";

/// The agent whose pause nobody has promised to end. It has the same reason as the others'.
const BYSTANDER: u16 = 1099;

/// The number of agents. Each round has its own.
const AGENTS: usize = 90;

/// The moment at which the bridge is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// A random time after the client has sent its request.
    Random,
    /// The pause has been sent, but does not reach Asterisk.
    PauseSent,
    /// The pause has been sent, and reaches Asterisk after the bridge's death.
    PauseDelivered,
    /// Asterisk has paused the agent, but its reply does not reach the bridge.
    PauseExecuted,
    /// The client has the response.
    Answered,
    /// The unpause has been sent at the end, but does not reach Asterisk.
    UnpauseSent,
    /// The unpause has been sent at the end, and reaches Asterisk after the bridge's death.
    UnpauseDelivered,
    /// Asterisk has unpaused the agent at the end, but its reply does not reach the bridge.
    UnpauseExecuted,
    /// A random time around the end.
    RandomEnd,
}

const MOMENTS: [Moment; 9] = [
    Moment::Random,
    Moment::PauseSent,
    Moment::PauseDelivered,
    Moment::PauseExecuted,
    Moment::Answered,
    Moment::UnpauseSent,
    Moment::UnpauseDelivered,
    Moment::UnpauseExecuted,
    Moment::RandomEnd,
];

/// A change by someone else while the bridge is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    Unpaused,
    /// Paused again, in a later second.
    PausedAgain,
}

/// A killed bridge and the pause at that time.
#[derive(Debug)]
struct Round {
    number: usize,
    agent: u16,
    moment: Moment,
    meanwhile: Meanwhile,
    /// The promised end, if the client got a response.
    ends_at: Option<Timestamp>,
}

fn kills() -> usize {
    let kills = std::env::var("AMI_BRIDGE_KILLS").ok();
    let kills = kills
        .and_then(|kills| kills.parse().ok())
        .unwrap_or(MOMENTS.len());
    assert!(kills <= AGENTS, "there are agents for {AGENTS} kills only");
    kills
}

fn killed_bridge_ends_every_promised_pause_once_and_no_other(version: u32) {
    let mut scene = Scene::start(version, &[]);
    add_agents(&scene);
    let mut rounds = Vec::new();
    for number in 0..kills() {
        let round = Round::run(number, &mut scene);
        rounds.push(round);
    }
    let mut answered = 0;
    for round in &rounds {
        answered += usize::from(round.ends_at.is_some());
        round.check(&scene);
    }
    // A second unpause of the last round would come within this time.
    std::thread::sleep(super::MAX_DELAY);
    for round in &rounds {
        round.check(&scene);
    }
    let expected = Some((true, round_reason(0)));
    assert_eq!(
        pause_in_asterisk(&mut scene.asterisk.ami(), QUEUE, BYSTANDER),
        expected,
        "the pause of the bystander, which nobody had promised to end, must stay: {:#?}",
        log_rows(&scene.asterisk, QUEUE, BYSTANDER)
    );
    println!(
        "timed pauses, Asterisk {version}: {} bridges killed, {answered} pauses answered before \
         that",
        rounds.len()
    );
}

fn add_agents(scene: &Scene) {
    let agents = (0..kills()).map(agent);
    for agent in agents.chain([BYSTANDER]) {
        scene
            .bridge()
            .acme_ok(&format!("action=add&agent={agent}&queue=6001"));
    }
    pause_elsewhere(scene, BYSTANDER, &round_reason(0));
}

/// Returns the agent of a round.
fn agent(number: usize) -> u16 {
    1001 + number as u16
}

/// Returns the reason of the pause of a round.
fn round_reason(number: usize) -> String {
    format!("Round {number}")
}

fn pause_elsewhere(scene: &Scene, agent: u16, reason: &str) {
    let interface = interface(agent);
    let reply = scene.asterisk.ami().reply_text(&format!(
        "QueuePause\r\nQueue: {QUEUE}\r\nInterface: {interface}\r\nPaused: true\r\n\
         Reason: {reason}"
    ));
    assert_eq!(reply, "Success: Interface paused successfully");
}

impl Round {
    /// Pauses an agent, kills the bridge at the moment of this round, and starts it again.
    fn run(number: usize, scene: &mut Scene) -> Self {
        let cycle = number / MOMENTS.len();
        let meanwhile = [
            Meanwhile::Nothing,
            Meanwhile::PausedAgain,
            Meanwhile::Unpaused,
        ];
        let mut round = Self {
            number,
            agent: agent(number),
            moment: MOMENTS[number % MOMENTS.len()],
            meanwhile: meanwhile[(number + cycle) % 3],
            ends_at: None,
        };
        match round.moment {
            Moment::UnpauseSent | Moment::UnpauseDelivered | Moment::UnpauseExecuted => {
                round.kill_while_ending(scene);
            }
            Moment::RandomEnd => round.kill_around_the_end(scene),
            Moment::Answered => {
                round.pause(scene, 2);
                if round.meanwhile == Meanwhile::PausedAgain {
                    // The bridge can recognize its pause only after it has received the event.
                    std::thread::sleep(Duration::from_millis(300));
                }
                scene.kill_bridge();
            }
            _ => round.kill_while_pausing(scene),
        }
        round.change_meanwhile(scene);
        scene.restart_bridge();
        round
    }

    fn query(&self, seconds: u32) -> String {
        let Self { agent, number, .. } = self;
        format!("action=pause&agent={agent}&queue=6001&reason=Round%20{number}&duration={seconds}")
    }

    /// Pauses the agent and remembers the promised end.
    fn pause(&mut self, scene: &Scene, seconds: u32) {
        let body = scene.bridge().acme_ok(&self.query(seconds));
        self.ends_at = Some(parse_time(&body["queues"][0]["ends_at"]));
    }

    /// Sends the pause from another thread, since the bridge may die before it responds.
    fn pause_in_background(&self, scene: &Scene, seconds: u32) -> JoinHandle<Option<Response>> {
        let (query, address) = (self.query(seconds), scene.bridge().address);
        std::thread::spawn(move || {
            let target = format!(
                "{API_PATH}?username={}&password={}&{query}",
                ACME.username, ACME.password
            );
            KeepAliveConnection::new(address).get(&target).ok()
        })
    }

    /// Kills the bridge before the client has a response, except at random moments.
    fn kill_while_pausing(&mut self, scene: &mut Scene) {
        let interface = interface(self.agent);
        let texts = ["QueuePause", interface.as_str(), "Paused: true"];
        match self.moment {
            Moment::PauseExecuted => scene.proxy.gate().arm(Hold::Reply, &texts),
            Moment::PauseSent | Moment::PauseDelivered => {
                scene.proxy.gate().arm(Hold::Action, &texts);
            }
            _ => {}
        }
        let request = self.pause_in_background(scene, 2);
        match self.moment {
            Moment::Random => {
                // Any moment is right: before, while and after the bridge sends the pause.
                std::thread::sleep(Duration::from_micros(fastrand::u64(..12_000)));
            }
            _ => scene.proxy.gate().wait_until_holding("the pause"),
        }
        if self.moment == Moment::PauseExecuted {
            self.wait_for_row(scene, "PAUSE", &round_reason(self.number));
        }
        scene.kill_bridge();
        let response = request.join().expect("no panic in the client's thread");
        if self.moment != Moment::Random {
            assert!(
                response.is_none(),
                "{self:?}: the bridge must not respond before Asterisk has replied: {response:?}"
            );
        }
        if let Some(response) = response {
            assert_eq!(response.outcome(), "200 success", "{self:?}");
            self.ends_at = Some(parse_time(&response.json()["queues"][0]["ends_at"]));
        }
        if self.moment == Moment::PauseDelivered {
            scene.proxy.gate().open(HeldBytes::Forward);
            self.wait_for_row(scene, "PAUSE", &round_reason(self.number));
        }
        scene.proxy.gate().open(HeldBytes::Discard);
        scene.proxy.close_connections();
    }

    /// Kills the bridge while it ends the pause.
    fn kill_while_ending(&mut self, scene: &mut Scene) {
        let interface = interface(self.agent);
        let hold = match self.moment {
            Moment::UnpauseExecuted => Hold::Reply,
            _ => Hold::Action,
        };
        self.pause(scene, 1);
        let texts = ["QueuePause", interface.as_str(), "Paused: false"];
        scene.proxy.gate().arm(hold, &texts);
        scene
            .proxy
            .gate()
            .wait_until_holding("the unpause at the end");
        if self.moment == Moment::UnpauseExecuted {
            self.wait_for_row(scene, "UNPAUSE", TIME_OVER);
        }
        scene.kill_bridge();
        if self.moment == Moment::UnpauseDelivered {
            scene.proxy.gate().open(HeldBytes::Forward);
            self.wait_for_row(scene, "UNPAUSE", TIME_OVER);
        }
        scene.proxy.gate().open(HeldBytes::Discard);
        scene.proxy.close_connections();
    }

    fn kill_around_the_end(&mut self, scene: &mut Scene) {
        self.pause(scene, 1);
        let end = self.ends_at.expect("a promised end");
        let offset = jiff::SignedDuration::from_micros(fastrand::i64(-5_000..20_000));
        wait_until(end + offset);
        scene.kill_bridge();
    }
}
