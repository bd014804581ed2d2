//! Random changes from three sides at once: the bridge's interface, another AMI
//! session, and Asterisk's own command line, with calls running.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::expected::{ORGANIZATIONS, Organization};
use super::{VARIANTS, queues_conf};
use crate::support::{Ami, Asterisk, Bridge};

/// Operations that are remembered for the report of a failure.
const REMEMBERED: usize = 60;

/// What churns.
pub(crate) struct Churn<'a> {
    asterisk: &'a Asterisk,
    bridge: &'a Bridge,
    begun: Instant,
    recent: Mutex<VecDeque<String>>,
    /// Whether changes are made of which Asterisk tells nothing.
    silent: bool,
    counts: Mutex<[usize; 3]>,
}

/// A side that changes things.
#[derive(Debug, Clone, Copy)]
enum Side {
    Api,
    Ami,
    Cli,
}

impl<'a> Churn<'a> {
    pub(crate) fn new(asterisk: &'a Asterisk, bridge: &'a Bridge, silent: bool) -> Self {
        Self {
            asterisk,
            bridge,
            begun: Instant::now(),
            recent: Mutex::default(),
            silent,
            counts: Mutex::default(),
        }
    }

    /// All sides change things for that long.
    pub(crate) fn burst(&self, rng: &mut Rng, length: Duration) {
        let end = Instant::now() + length;
        std::thread::scope(|scope| {
            for side in [Side::Api, Side::Ami, Side::Cli] {
                let mut rng = rng.fork();
                scope.spawn(move || {
                    let mut ami = self.asterisk.ami();
                    while Instant::now() < end {
                        match side {
                            Side::Api => self.by_api(&mut rng),
                            Side::Ami => self.by_ami(&mut rng, &mut ami),
                            Side::Cli => self.by_cli(&mut rng),
                        }
                        self.counts.lock().expect("counts")[side as usize] += 1;
                        // Paces one side against the others.
                        std::thread::sleep(Duration::from_millis(rng.u64(0..15)));
                    }
                });
            }
        });
    }

    /// Ends all calls, or leaves callers that nobody answers soon.
    pub(crate) fn rest(&self, rng: &mut Rng) {
        if rng.bool() {
            self.cli("channel request hangup all");
        } else {
            for queue in ["acme-6001", "acme-6004", "globex-6002"] {
                self.cli(&format!(
                    "channel originate Local/{queue}@callers application Wait 600"
                ));
            }
        }
    }

    /// How many changes each side has made, and the last of them.
    pub(crate) fn counts(&self) -> String {
        let [api, ami, cli] = *self.counts.lock().expect("counts");
        format!("{api} by the interface, {ami} by AMI, {cli} by the command line")
    }

    pub(crate) fn recent(&self) -> String {
        let recent = self.recent.lock().expect("recent");
        recent.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "  {line}");
            text
        })
    }

    fn note(&self, what: &str, answer: &str) {
        let mut recent = self.recent.lock().expect("recent");
        if recent.len() == REMEMBERED {
            recent.pop_front();
        }
        let at = self.begun.elapsed().as_secs_f64();
        let answer = answer.trim().replace('\n', " / ");
        recent.push_back(format!("{at:.3} {what} -> {answer}"));
    }

    fn by_api(&self, rng: &mut Rng) {
        let place = Place::random(rng);
        let Place {
            organization,
            agent,
            queue,
        } = place;
        let in_queue = if rng.u8(..4) == 0 {
            String::new()
        } else {
            format!("&queue={queue}")
        };
        let reason = [
            "",
            "&reason=Lunch",
            "&reason=%D7%94%D7%A4%D7%A1%D7%A7%D7%94",
        ];
        let reason = rng.choice(reason).expect("reasons");
        let change = match rng.u8(..10) {
            0..3 => format!("pause{in_queue}{reason}"),
            3..5 => format!("unpause{in_queue}{reason}"),
            5..8 => format!(
                "add&queue={queue}&alias=Agent%20{agent}&penalty={}&paused={}{reason}",
                rng.u8(..4),
                rng.bool()
            ),
            _ => format!("remove&queue={queue}"),
        };
        let query = format!("action={change}&agent={agent}");
        let response = self.bridge.get_as(organization.user, &query);
        self.note(
            &format!("interface, {}: {query}", organization.name),
            &response.outcome(),
        );
        assert!(
            response.status < 500,
            "{query}: {response:?}\n{}",
            self.recent()
        );
    }

    fn by_ami(&self, rng: &mut Rng, ami: &mut Ami) {
        let place = Place::random(rng);
        let (queue, interface) = (place.queue_name(), place.interface(rng));
        let in_queue = if rng.u8(..4) == 0 {
            String::new()
        } else {
            format!("\r\nQueue: {queue}")
        };
        let yes = ["true", "false"][rng.usize(..2)];
        let number = rng.u8(..5);
        let lines = match rng.u8(..12) {
            0..3 => {
                let desk = ["", "\r\nStateInterface: Custom:desk1"][rng.usize(..2)];
                format!(
                    "QueueAdd\r\nQueue: {queue}\r\nInterface: {interface}\r\nPenalty: {number}\
                     \r\nPaused: {yes}\r\nMemberName: Ami {number}{desk}"
                )
            }
            3..5 => format!("QueueRemove\r\nQueue: {queue}\r\nInterface: {interface}"),
            5..9 => {
                let reason = ["", "\r\nReason: Ami reason"][rng.usize(..2)];
                format!("QueuePause\r\nInterface: {interface}\r\nPaused: {yes}{in_queue}{reason}")
            }
            9..11 => {
                format!("QueuePenalty\r\nInterface: {interface}\r\nPenalty: {number}{in_queue}")
            }
            _ => format!(
                "QueueMemberRingInUse\r\nInterface: {interface}\r\nRingInUse: {yes}{in_queue}"
            ),
        };
        let answer = ami.send(&format!("Action: {lines}"));
        let answer = answer.get("Message").map_or("", String::as_str);
        self.note(&format!("AMI: {}", lines.replace("\r\n", ", ")), answer);
    }

    fn by_cli(&self, rng: &mut Rng) {
        let place = Place::random(rng);
        let (queue, interface) = (place.queue_name(), place.interface(rng));
        let number = rng.u8(..5);
        match rng.u8(..24) {
            0..3 => {
                let desk = ["", " state_interface Custom:desk2"][rng.usize(..2)];
                self.cli(&format!(
                    "queue add member {interface} to {queue} penalty {number} as Cli-{number}{desk}"
                ));
            }
            3..5 => self.cli(&format!("queue remove member {interface} from {queue}")),
            5 => self.cli(&format!("queue pause member {interface}")),
            6..8 => self.cli(&format!(
                "queue pause member {interface} queue {queue} reason cli-{number}"
            )),
            8 => self.cli(&format!("queue unpause member {interface} queue {queue}")),
            9 => self.cli(&format!(
                "queue set penalty {number} on {interface} in {queue}"
            )),
            10 => self.cli(&format!("queue set ringinuse no on {interface} in {queue}")),
            11 => {
                let states = [
                    "INUSE",
                    "NOT_INUSE",
                    "BUSY",
                    "RINGING",
                    "ONHOLD",
                    "UNAVAILABLE",
                ];
                let state = rng.choice(states).expect("states");
                self.cli(&format!(
                    "devstate change Custom:desk{} {state}",
                    rng.u8(1..3)
                ));
            }
            12 => self.cli("channel request hangup all"),
            13 => {
                self.asterisk
                    .write_config("queues.conf", &queues_conf(rng.u8(..VARIANTS)));
                self.cli("module reload app_queue.so");
            }
            14 if self.silent => {
                self.asterisk
                    .write_config("queues.conf", &queues_conf(rng.u8(..VARIANTS)));
                self.cli("queue reload all");
            }
            15 if self.silent => self.cli(&format!("queue reset stats {queue}")),
            _ => self.cli(&format!(
                "channel originate Local/{queue}@callers application Wait {number}"
            )),
        }
    }

    fn cli(&self, command: &str) {
        let answer = self.asterisk.cli(command);
        self.note(&format!("command line: {command}"), &answer);
    }
}

/// An agent and a queue of an organization.
struct Place {
    organization: Organization,
    agent: u16,
    queue: u16,
}

impl Place {
    fn random(rng: &mut Rng) -> Self {
        let organization = ORGANIZATIONS[rng.usize(..2)];
        let queues = [5, 3][usize::from(organization.name == "globex")];
        // Now and then one that stands in the configuration.
        let agent = if rng.u8(..8) == 0 {
            rng.u16(1050..1053)
        } else {
            rng.u16(1001..1007)
        };
        Self {
            organization,
            agent,
            queue: 6001 + rng.u16(..queues),
        }
    }

    fn queue_name(&self) -> String {
        format!("{}-{}", self.organization.name, self.queue)
    }

    /// Now and then in another case, which Asterisk takes for the same, or of the
    /// other organization.
    fn interface(&self, rng: &mut Rng) -> String {
        let (agent, name) = (self.agent, self.organization.name);
        match rng.u8(..20) {
            0 => format!("LOCAL/{agent}@{name}-Agents"),
            1 => format!("Local/{agent}@globex-agents"),
            _ => format!("Local/{agent}@{name}-agents"),
        }
    }
}
