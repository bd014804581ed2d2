//! A queue: its settings, members, waiting callers and figures.

use std::time::Duration;

use super::event::Lines;
use super::member::Member;

/// Who is rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    /// Everyone who is free.
    RingAll,
    LeastRecent,
    FewestCalls,
    Random,
    /// Round robin.
    RrMemory,
    Linear,
}

const STRATEGIES: [(&str, Strategy); 6] = [
    ("ringall", Strategy::RingAll),
    ("leastrecent", Strategy::LeastRecent),
    ("fewestcalls", Strategy::FewestCalls),
    ("random", Strategy::Random),
    ("rrmemory", Strategy::RrMemory),
    ("linear", Strategy::Linear),
];

impl Strategy {
    /// A name that is not known is ringall.
    pub(super) fn new(name: &str) -> Self {
        let known = STRATEGIES.iter().find(|(known, _)| *known == name);
        known.map_or(Self::RingAll, |(_, strategy)| *strategy)
    }

    pub(super) fn name(self) -> &'static str {
        let known = STRATEGIES.iter().find(|(_, strategy)| *strategy == self);
        known.map_or("ringall", |(name, _)| name)
    }
}

/// A queue.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) strategy: Strategy,
    /// Callers at most; 0 is no limit.
    pub(super) max: u32,
    pub(super) weight: u32,
    /// Seconds, as every time here.
    pub(super) service_level: u32,
    pub(super) wrapup: u32,
    pub(super) timeout: u64,
    pub(super) ring_in_use: bool,
    /// In Asterisk's order.
    pub(super) members: Vec<Member>,
    /// Calls that wait, by their number.
    pub(super) callers: Vec<u64>,
    /// Whether Asterisk is to look soon if an agent is free.
    pub(super) look_is_planned: bool,
    /// The interface that was rung last.
    pub(super) last_rung: String,
    pub(super) figures: Figures,
}

/// What a queue has done since its figures began.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    pub(super) hold: u64,
    pub(super) talk: u64,
    pub(super) completed: u32,
    pub(super) abandoned: u32,
    pub(super) completed_in_level: u32,
    pub(super) abandoned_in_level: u32,
}

impl Figures {
    pub(super) fn connected(&mut self, hold: Duration) {
        self.hold = if self.completed + self.abandoned == 0 {
            hold.as_secs()
        } else {
            average(self.hold, hold)
        };
    }

    pub(super) fn completed(&mut self, talk: Duration, in_level: bool) {
        self.completed += 1;
        self.completed_in_level += u32::from(in_level);
        self.talk = if self.completed == 1 {
            talk.as_secs()
        } else {
            average(self.talk, talk)
        };
    }

    pub(super) fn abandoned(&mut self, in_level: bool) {
        self.abandoned += 1;
        self.abandoned_in_level += u32::from(in_level);
    }
}

/// Asterisk's exponential average, in whole seconds.
fn average(old: u64, new: Duration) -> u64 {
    (old * 3 + new.as_secs()) / 4
}

fn percent(part: u32, whole: u32) -> String {
    let share = if whole == 0 {
        0.0
    } else {
        100.0 * f64::from(part) / f64::from(whole)
    };
    format!("{share:.1}")
}

impl Queue {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            strategy: Strategy::RingAll,
            max: 0,
            weight: 0,
            service_level: 0,
            wrapup: 0,
            timeout: 15,
            ring_in_use: true,
            members: Vec::new(),
            callers: Vec::new(),
            look_is_planned: false,
            last_rung: String::new(),
            figures: Figures::default(),
        }
    }

    /// Asterisk's place in the order of queues.
    pub(super) fn bucket(&self) -> u32 {
        let bytes = self.name.bytes();
        let hash = bytes.fold(5381, |hash: u32, byte| {
            hash.wrapping_mul(33) ^ u32::from(byte.to_ascii_lowercase())
        });
        (hash & 0x7fff_ffff) % 53
    }

    /// Puts a member to its place.
    pub(super) fn insert(&mut self, member: Member) {
        let bucket = member.bucket();
        let place = match self.strategy {
            Strategy::Linear => self.members.len(),
            _ => self.members.partition_point(|m| m.bucket() <= bucket),
        };
        self.members.insert(place, member);
    }

    pub(super) fn member(&mut self, interface: &str) -> Option<&mut Member> {
        let mut members = self.members.iter_mut();
        members.find(|member| member.has_interface(interface))
    }

    /// The first row of QueueStatus.
    pub(super) fn row(&self, id: Option<&str>) -> String {
        let figures = &self.figures;
        let all = figures.completed + figures.abandoned;
        let in_level = figures.completed_in_level + figures.abandoned_in_level;
        let lines = Lines::default()
            .put("Event", "QueueParams")
            .put("Queue", &self.name)
            .put("Max", self.max)
            .put("Strategy", self.strategy.name())
            .put("Calls", self.callers.len())
            .put("Holdtime", figures.hold)
            .put("TalkTime", figures.talk)
            .put("Completed", figures.completed)
            .put("Abandoned", figures.abandoned)
            .put("ServiceLevel", self.service_level)
            .put(
                "ServicelevelPerf",
                percent(figures.completed_in_level, figures.completed),
            )
            .put("ServicelevelPerf2", percent(in_level, all))
            .put("Weight", self.weight);
        lines.put_some("ActionID", id).end()
    }

    /// The row of QueueSummary.
    pub(super) fn summary(&self, longest_hold: u64, id: Option<&str>) -> String {
        let logged_in = self.members.iter().filter(|m| !matches!(m.status, 4 | 5));
        let available = self.members.iter();
        let available = available.filter(|m| matches!(m.status, 0 | 1) && !m.paused);
        let lines = Lines::default()
            .put("Event", "QueueSummary")
            .put("Queue", &self.name)
            .put("LoggedIn", logged_in.count())
            .put("Available", available.count())
            .put("Callers", self.callers.len())
            .put("HoldTime", self.figures.hold)
            .put("TalkTime", self.figures.talk)
            .put("LongestHoldTime", longest_hold);
        lines.put_some("ActionID", id).end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_asterisks() {
        let secs = Duration::from_secs;
        let mut queue = Queue::new("q");
        // As Asterisk 22 went through two calls and a caller who gave up.
        queue.figures.connected(secs(1));
        queue.figures.completed(secs(1), true);
        queue.figures.abandoned(true);
        queue.figures.connected(secs(5));
        queue.figures.completed(secs(2), true);
        assert_eq!((queue.figures.hold, queue.figures.talk), (2, 1));
        queue.figures.abandoned(false);
        let row = queue.row(None);
        assert!(
            row.contains("ServicelevelPerf: 100.0\r\nServicelevelPerf2: 75.0\r\n"),
            "{row}"
        );
    }
}
