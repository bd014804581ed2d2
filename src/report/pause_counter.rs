//! Counts pauses. A pause over several queues, a midnight, a gap or a restart is one pause.

use super::grouping::Group;
use super::index_map::IndexMap;
use crate::storage::Entry;

/// The agent, the queue (0 for any) and the reason of a pause.
pub(super) type PauseKey = (u32, u32, u32);

/// The latest pause of each agent and reason.
#[derive(Debug, Default)]
pub(super) struct PauseCounter {
    latest: IndexMap<PauseKey, Pause>,
    /// The groups and reasons of earlier pauses that were overdue.
    overdue: Vec<(Group, u32)>,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    era: u32,
    began: i64,
    ended: i64,
    /// Where the pause counts. `None` if it began outside of the report's days.
    group: Option<Group>,
    is_overdue: bool,
}

impl PauseCounter {
    /// Adds a row. Returns whether a pause begins with it. A row that overlaps the latest pause
    /// belongs to it: the agent is paused in several queues. Within an era, rows must come in the
    /// order in which they begin.
    pub(super) fn add(&mut self, key: PauseKey, entry: &Entry, limit: Option<u32>) -> bool {
        let whole = entry.seconds.saturating_add(entry.elapsed.unwrap_or(0));
        let is_overdue = limit.is_some_and(|limit| whole > limit);
        let begins = Pause {
            era: entry.era,
            began: entry.began,
            ended: entry.ended(),
            group: None,
            is_overdue,
        };
        let Some(latest) = self.latest.get_mut(&key) else {
            self.latest.insert(key, begins);
            return entry.elapsed.is_none();
        };
        let overlaps =
            latest.era == entry.era && (entry.began < latest.ended || entry.began == latest.began);
        if entry.elapsed.is_some() || overlaps {
            latest.era = entry.era;
            latest.ended = if overlaps {
                latest.ended.max(entry.ended())
            } else {
                entry.ended()
            };
            latest.is_overdue |= is_overdue;
            return false;
        }
        let finished = std::mem::replace(latest, begins);
        self.overdue.extend(finished.overdue(key));
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
