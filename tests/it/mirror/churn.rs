//! Makes random changes during calls, from three concurrent sources: the bridge's API, another
//! AMI session, and the Asterisk CLI.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::expected::{ORGANIZATIONS, Organization};
use super::{VARIANTS, queues_conf};
use crate::support::{Ami, Asterisk, Bridge};

/// The number of recent operations in a failure message.
const RECENT_OPERATIONS: usize = 60;

/// A generator of random changes on one PBX.
pub(crate) struct Churn<'a> {
    asterisk: &'a Asterisk,
    bridge: &'a Bridge,
    begun: Instant,
    recent: Mutex<VecDeque<String>>,
    /// Whether to include changes for which Asterisk sends no event.
    is_silent: bool,
    /// The number of changes per [`Source`].
    counts: Mutex<[usize; 3]>,
}

/// A source of changes.
#[derive(Debug, Clone, Copy)]
enum Source {
    Api,
    Ami,
    Cli,
}

impl<'a> Churn<'a> {
    pub(crate) fn new(asterisk: &'a Asterisk, bridge: &'a Bridge, is_silent: bool) -> Self {
        Self {
            asterisk,
            bridge,
            begun: Instant::now(),
            recent: Mutex::default(),
            is_silent,
            counts: Mutex::default(),
        }
    }

    /// Makes changes from all sources in parallel for `duration`.
    pub(crate) fn burst(&self, rng: &mut Rng, duration: Duration) {
        let end = Instant::now() + duration;
        std::thread::scope(|scope| {
            for source in [Source::Api, Source::Ami, Source::Cli] {
                let mut rng = rng.fork();
                scope.spawn(move || {
                    let mut ami = self.asterisk.ami();
                    while Instant::now() < end {
                        match source {
                            Source::Api => self.change_through_api(&mut rng),
                            Source::Ami => self.change_through_ami(&mut rng, &mut ami),
                            Source::Cli => self.change_through_cli(&mut rng),
                        }
                        self.counts.lock().expect("an unpoisoned lock")[source as usize] += 1;
                        // Limits the rate, so that all sources make progress.
                        std::thread::sleep(Duration::from_millis(rng.u64(0..15)));
                    }
                });
            }
        });
    }

    /// Ends all calls, or adds callers who wait until the comparison is over.
    pub(crate) fn settle_calls(&self, rng: &mut Rng) {
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

    /// Returns the number of changes from each source, as text.
    pub(crate) fn counts(&self) -> String {
        let [api, ami, cli] = *self.counts.lock().expect("an unpoisoned lock");
        format!("{api} through the API, {ami} through AMI, {cli} through the CLI")
    }

    /// Returns the most recent operations with their results, one per line.
    pub(crate) fn recent(&self) -> String {
        let recent = self.recent.lock().expect("an unpoisoned lock");
        recent.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "  {line}");
            text
        })
    }

    fn record(&self, operation: &str, result: &str) {
        let mut recent = self.recent.lock().expect("an unpoisoned lock");
        if recent.len() == RECENT_OPERATIONS {
            recent.pop_front();
        }
        let seconds = self.begun.elapsed().as_secs_f64();
        let result = result.trim().replace('\n', " / ");
        recent.push_back(format!("{seconds:.3} {operation} -> {result}"));
    }

    fn change_through_api(&self, rng: &mut Rng) {
        let target = Target::random(rng);
        let Target {
            organization,
            agent,
            queue,
        } = target;
        let in_queue = if rng.u8(..4) == 0 {
            String::new()
        } else {
            format!("&queue={queue}")
        };
        let reasons = [
            "",
            "&reason=Lunch",
            "&reason=%D7%94%D7%A4%D7%A1%D7%A7%D7%94",
        ];
        let reason = rng.choice(reasons).expect("a reason");
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
        self.record(
            &format!("API, {}: {query}", organization.name),
            &response.outcome(),
        );
        assert!(
            response.status < 500,
            "{query}: {response:?}\n{}",
            self.recent()
        );
    }

    fn change_through_ami(&self, rng: &mut Rng, ami: &mut Ami) {
        let target = Target::random(rng);
        let (queue, interface) = (target.queue_name(), target.interface(rng));
        let in_queue = if rng.u8(..4) == 0 {
            String::new()
        } else {
            format!("\r\nQueue: {queue}")
        };
        let flag = ["true", "false"][rng.usize(..2)];
        let number = rng.u8(..5);
        let headers = match rng.u8(..12) {
            0..3 => {
                let desk = ["", "\r\nStateInterface: Custom:desk1"][rng.usize(..2)];
                format!(
                    "QueueAdd\r\nQueue: {queue}\r\nInterface: {interface}\r\nPenalty: {number}\
                     \r\nPaused: {flag}\r\nMemberName: Ami {number}{desk}"
                )
            }
            3..5 => format!("QueueRemove\r\nQueue: {queue}\r\nInterface: {interface}"),
            5..9 => {
                let reason = ["", "\r\nReason: Ami reason"][rng.usize(..2)];
                format!("QueuePause\r\nInterface: {interface}\r\nPaused: {flag}{in_queue}{reason}")
            }
            9..11 => {
                format!("QueuePenalty\r\nInterface: {interface}\r\nPenalty: {number}{in_queue}")
            }
            _ => format!(
                "QueueMemberRingInUse\r\nInterface: {interface}\r\nRingInUse: {flag}{in_queue}"
            ),
        };
        let response = ami.send(&format!("Action: {headers}"));
        let message = response.get("Message").map_or("", String::as_str);
        self.record(&format!("AMI: {}", headers.replace("\r\n", ", ")), message);
    }

    fn change_through_cli(&self, rng: &mut Rng) {
        let target = Target::random(rng);
        let (queue, interface) = (target.queue_name(), target.interface(rng));
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
                let state = rng.choice(states).expect("a device state");
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
            14 if self.is_silent => {
                self.asterisk
                    .write_config("queues.conf", &queues_conf(rng.u8(..VARIANTS)));
                self.cli("queue reload all");
            }
            15 if self.is_silent => self.cli(&format!("queue reset stats {queue}")),
            _ => self.cli(&format!(
                "channel originate Local/{queue}@callers application Wait {number}"
            )),
        }
    }

    fn cli(&self, command: &str) {
        let output = self.asterisk.cli(command);
        self.record(&format!("CLI: {command}"), &output);
    }
}

/// One of an organization's agents and one of its queues.
struct Target {
    organization: Organization,
    agent: u16,
    queue: u16,
}

impl Target {
    fn random(rng: &mut Rng) -> Self {
        let organization = ORGANIZATIONS[rng.usize(..2)];
        let queue_count = [5, 3][usize::from(organization.name == "globex")];
        // Occasionally chooses a static member.
        let agent = if rng.u8(..8) == 0 {
            rng.u16(1050..1053)
        } else {
            rng.u16(1001..1007)
        };
        Self {
            organization,
            agent,
            queue: 6001 + rng.u16(..queue_count),
        }
    }

    fn queue_name(&self) -> String {
        format!("{}-{}", self.organization.name, self.queue)
    }

    /// Returns the agent's interface. Occasionally changes its case, which Asterisk ignores, or
    /// uses a globex interface.
    fn interface(&self, rng: &mut Rng) -> String {
        let (agent, name) = (self.agent, self.organization.name);
        match rng.u8(..20) {
            0 => format!("LOCAL/{agent}@{name}-Agents"),
            1 => format!("Local/{agent}@globex-agents"),
            _ => format!("Local/{agent}@{name}-agents"),
        }
    }
}
