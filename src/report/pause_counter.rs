//! Counts pauses. A pause over several queues, a midnight, a gap or a restart is one pause.

use rustc_hash::FxHashMap;

use super::grouping::Group;
use crate::storage::{Entry, NameId};

/// The agent, the queue (0 for any) and the reason of a pause.
pub(super) type PauseKey = (u32, u32, u32);

/// The latest pause of each agent and reason.
#[derive(Debug, Default)]
pub(super) struct PauseCounter {
    latest: FxHashMap<PauseKey, Pause>,
    /// The groups and reasons of earlier pauses that were overdue.
    overdue: Vec<(Group, u32)>,
}

#[derive(Debug, Clone)]
struct Pause {
    era: u32,
    ended: i64,
    ties: Ties,
    /// Where the pause counts. `None` if it began outside of the report's days.
    group: Option<Group>,
    is_overdue: bool,
}

impl PauseCounter {
    /// Adds a row. Returns whether a pause begins with it. A row that overlaps the latest pause
    /// belongs to it: the agent is paused in several queues. Of rows that only touch it, because
    /// times are whole seconds, those of further queues belong to it. Within an era, rows must come
    /// in the order in which they begin.
    pub(super) fn add(&mut self, key: PauseKey, entry: &Entry, limit: Option<u32>) -> bool {
        let whole = entry.seconds.saturating_add(entry.elapsed.unwrap_or(0));
        let is_overdue = limit.is_some_and(|limit| whole > limit);
        let Some(latest) = self.latest.get_mut(&key) else {
            let begins = Pause {
                era: entry.era,
                ended: entry.ended(),
                ties: Ties::new(entry, Vec::new()),
                group: None,
                is_overdue,
            };
            self.latest.insert(key, begins);
            return entry.elapsed.is_none();
        };
        let touches = latest.era == entry.era && entry.began <= latest.ended;
        let begins = if touches {
            latest.ties.add(entry, latest.ended)
        } else {
            latest.ties = Ties::new(entry, std::mem::take(&mut latest.ties.queues));
            true
        };
        let ended = if touches { latest.ended } else { i64::MIN };
        latest.era = entry.era;
        latest.ended = ended.max(entry.ended());
        if entry.elapsed.is_some() || !begins {
            latest.is_overdue |= is_overdue;
            return false;
        }
        self.overdue.extend(latest.overdue(key));
        latest.group = None;
        latest.is_overdue = is_overdue;
        true
    }

    /// Sets where the latest pause counts.
    pub(super) fn set_group(&mut self, key: PauseKey, group: Group) {
        if let Some(latest) = self.latest.get_mut(&key) {
            latest.group = Some(group);
        }
    }

    /// Returns the group and the reason of each overdue pause.
    pub(super) fn overdue(&mut self) -> Vec<(Group, u32)> {
        let mut overdue = std::mem::take(&mut self.overdue);
        overdue.extend(
            self.latest
                .iter()
                .filter_map(|(key, pause)| pause.overdue(*key)),
        );
        overdue
    }
}

impl Pause {
    fn overdue(&self, key: PauseKey) -> Option<(Group, u32)> {
        let group = self.group.filter(|_| self.is_overdue)?;
        Some((group, key.2))
    }
}

/// Distinguishes the pauses of one second. A queue's next row is a further pause, unless other queues
/// have begun that pause already.
#[derive(Debug, Clone)]
struct Ties {
    /// The second in which the latest row began.
    second: i64,
    /// When the pauses ended that began before that second.
    ended_before: i64,
    /// The number of pauses so far.
    count: u32,
    /// The number of pauses before that second, with the one that ends in it; at least 1.
    count_before: u32,
    /// The latest pause of each queue.
    queues: Vec<(NameId, u32)>,
}

impl Ties {
    /// Starts with a row. `queues` is a list whose memory is used again.
    fn new(entry: &Entry, mut queues: Vec<(NameId, u32)>) -> Self {
        queues.clear();
        queues.push((entry.queue, 1));
        Self {
            second: entry.began,
            ended_before: i64::MIN,
            count: 1,
            count_before: 1,
            queues,
        }
    }

    /// Adds a row that touches or overlaps earlier ones, which end at `ended`. Returns whether a
    /// pause begins with it.
    fn add(&mut self, entry: &Entry, ended: i64) -> bool {
        if entry.began != self.second {
            self.second = entry.began;
            self.ended_before = ended;
            self.count_before = self.count;
        }
        let is_continued = entry.elapsed.is_some() || entry.began < self.ended_before;
        let index = self.queues.iter().position(|known| known.0 == entry.queue);
        let index = index.unwrap_or_else(|| {
            self.queues.push((entry.queue, 0));
            self.queues.len() - 1
        });
        let latest = &mut self.queues[index].1;
        *latest = if is_continued {
            self.count
        } else {
            (*latest + 1).max(self.count_before)
        };
        let begins = *latest > self.count;
        self.count = self.count.max(*latest);
        begins
    }
}
