//! How callers and agents behave.

use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;

/// Where calls come from, and how long one takes.
#[derive(Debug, Clone)]
pub(super) struct Habits {
    /// Milliseconds, as every time here.
    pub(super) ring: Range<u64>,
    /// Of a hundred calls that ring, how many are picked up.
    pub(super) picked_up: u32,
    pub(super) talk: Range<u64>,
    /// Of a hundred talks, how many the agent ends.
    pub(super) ended_by_agent: u32,
    pub(super) patience: Range<u64>,
    /// Queues with the time between two callers.
    pub(super) arrivals: Vec<(&'static str, Range<u64>)>,
    /// Agents who have a rest now and then, by their interface.
    pub(super) resting: Vec<String>,
}

impl Habits {
    /// As the sample dialplan: an agent picks up after a second and talks until
    /// the caller hangs up, who has a minute. Nobody calls by themselves.
    pub(super) fn sample() -> Self {
        Self {
            ring: 1_000..1_001,
            picked_up: 100,
            talk: 60_000..60_001,
            ended_by_agent: 0,
            patience: 60_000..60_001,
            arrivals: Vec::new(),
            resting: Vec::new(),
        }
    }

    pub(super) fn pick_up(&self, random: &mut Rng) -> Option<Duration> {
        // Both are drawn each time: one habit does not shift the other.
        let delay = pick(random, &self.ring);
        (random.u32(0..100) < self.picked_up).then_some(delay)
    }

    /// How long a talk is, and who ends it.
    pub(super) fn talk(&self, random: &mut Rng) -> (Duration, &'static str) {
        let talk = pick(random, &self.talk);
        let by_agent = random.u32(0..100) < self.ended_by_agent;
        (talk, if by_agent { "agent" } else { "caller" })
    }
}

pub(super) fn pick(random: &mut Rng, range: &Range<u64>) -> Duration {
    Duration::from_millis(random.u64(range.clone()))
}
