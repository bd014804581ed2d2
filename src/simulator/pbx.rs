//! The state of the simulated PBX. It does no IO and never reads the clock: each
//! change is told the time, and leaves events in Asterisk's order behind.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;
use std::time::Duration;

use fastrand::Rng;

use super::call::Call;
use super::device::Device;
use super::event::Event;
use super::habits::Habits;
use super::queue::Queue;
use super::{conf, life};

/// Lines of queue_log that are kept.
const LOG_LINES: usize = 50_000;

/// What is to happen at its time.
#[derive(Debug, Clone)]
pub(super) enum Due {
    /// Someone calls a queue.
    Arrival(usize),
    /// Whether agents are free for the callers of a queue.
    Look(String),
    /// An agent picks up.
    Answer { call: u64, interface: String },
    /// Nobody has picked up: the number of the attempt.
    RingTimeout { call: u64, attempt: u32 },
    /// The caller has waited enough.
    GiveUp(u64),
    /// The caller, or the agent, has talked enough.
    TalkEnd { call: u64, by: &'static str },
    /// An agent has a rest.
    Break(usize),
    /// And is back from the one of that time.
    Back { agent: usize, since: u64 },
}

/// The PBX.
#[derive(Debug)]
pub(super) struct Pbx {
    /// Since the Unix epoch, at time zero.
    epoch: Duration,
    pub(super) now: Duration,
    /// In Asterisk's order.
    pub(super) queues: Vec<Queue>,
    pub(super) devices: BTreeMap<String, Device>,
    pub(super) calls: BTreeMap<u64, Call>,
    agenda: BTreeMap<(Duration, u64), Due>,
    planned: u64,
    pub(super) channels: u64,
    pub(super) locals: u64,
    pub(super) habits: Habits,
    pub(super) random: Rng,
    events: Vec<Event>,
    log: VecDeque<String>,
}

impl Pbx {
    pub(super) fn new(queues_conf: &str, habits: Habits, seed: u64, epoch: Duration) -> Self {
        let mut pbx = Self {
            epoch,
            now: Duration::ZERO,
            queues: conf::queues(queues_conf, epoch.as_secs()),
            devices: BTreeMap::new(),
            calls: BTreeMap::new(),
            agenda: BTreeMap::new(),
            planned: 0,
            channels: 0,
            locals: 0,
            habits,
            random: Rng::with_seed(seed),
            events: Vec::new(),
            log: VecDeque::new(),
        };
        pbx.log("NONE", "NONE", "NONE", "QUEUESTART", "");
        pbx.look_at_devices();
        life::begin(&mut pbx);
        pbx
    }

    /// Lets everything happen that is due until then.
    pub(super) fn advance(&mut self, now: Duration) {
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let ((time, _), due) = entry.remove_entry();
            self.now = self.now.max(time);
            self.happen(due);
        }
        self.now = self.now.max(now);
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Arrival(source) => life::arrive(self, source),
            Due::Break(agent) => life::take_break(self, agent),
            Due::Back { agent, since } => life::come_back(self, agent, since),
            Due::Look(queue) => self.look(&queue),
            Due::Answer { call, interface } => self.answer(call, &interface),
            Due::RingTimeout { call, attempt } => self.ring_timeout(call, attempt),
            Due::GiveUp(call) => self.give_up(call),
            Due::TalkEnd { call, by } => self.hang_up(call, by),
        }
    }

    /// When the next thing is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.agenda.first_key_value().map(|((time, _), _)| *time)
    }

    pub(super) fn plan(&mut self, after: Duration, due: Due) {
        self.planned += 1;
        self.agenda.insert((self.now + after, self.planned), due);
    }

    /// Unix seconds, cut as Asterisk cuts them.
    pub(super) fn unix(&self) -> u64 {
        self.time().as_secs()
    }

    /// Since the Unix epoch.
    pub(super) fn time(&self) -> Duration {
        self.epoch + self.now
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// What has happened since this was last asked.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    pub(super) fn log(&mut self, id: &str, queue: &str, who: &str, what: &str, data: impl Display) {
        let line = format!("{}|{id}|{queue}|{who}|{what}|{data}\n", self.unix());
        self.log.push_back(line);
        if self.log.len() > LOG_LINES {
            self.log.pop_front();
        }
    }

    /// The lines of queue_log.
    pub(super) fn queue_log(&self) -> String {
        self.log.iter().map(String::as_str).collect()
    }

    pub(super) fn clear_queue_log(&mut self) {
        self.log.clear();
    }

    pub(super) fn queue(&mut self, name: &str) -> Option<&mut Queue> {
        let mut queues = self.queues.iter_mut();
        queues.find(|queue| queue.name.eq_ignore_ascii_case(name))
    }
}
