//! The latest changes, numbered, for those who follow them.
//!
//! There is one change_log for all followers: each only remembers its place in it.
//! Whoever has fallen behind its beginning starts anew from a snapshot, so a slow
//! follower costs nothing, however slow.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::queues::model::Member;
use crate::queues::name::QueueName;

/// How many changes are kept: at least some seconds of a busy PBX.
const CHANGE_LOG_CAPACITY: usize = 4096;

/// A change of the state.
#[derive(Debug, Clone)]
pub enum StateChange {
    /// Of a member.
    Member {
        /// The queue's name on the PBX.
        queue: QueueName,
        /// What has happened to it.
        what: MemberChange,
        /// As it is now; of one that was removed, as it was.
        member: Arc<Member>,
    },
    /// Of a queue's callers or figures.
    Statistics {
        /// The queue's name on the PBX.
        queue: QueueName,
    },
    /// A queue has come, gone, or has other settings.
    Queue {
        /// The queue's name on the PBX.
        queue: QueueName,
    },
    /// The link was lost, or is there again and the state with it.
    Link {
        /// Which of the two.
        connected: bool,
    },
}

impl StateChange {
    /// The queue whose callers or figures, those of its agents too, are others now.
    #[must_use]
    pub fn affects_statistics_of(&self) -> Option<&QueueName> {
        match self {
            Self::Member { queue, .. } | Self::Statistics { queue } => Some(queue),
            Self::Queue { .. } | Self::Link { .. } => None,
        }
    }
}

/// What has happened to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberChange {
    /// It was added.
    Added,
    /// It was removed.
    Removed,
    /// It was paused, or has another reason.
    Paused,
    /// It was unpaused.
    Unpaused,
    /// Anything else of it has changed.
    Updated,
}

impl MemberChange {
    /// What lies between two states of a member; `None` where a reader sees no
    /// difference.
    pub(super) fn between(before: Option<&Member>, after: Option<&Member>) -> Option<Self> {
        match (before, after) {
            (None, None) => None,
            (None, Some(_)) => Some(Self::Added),
            (Some(_), None) => Some(Self::Removed),
            (Some(before), Some(after)) if before.is_same(after) => None,
            (Some(before), Some(after)) => Some(match (before.paused, after.paused) {
                (true, false) => Self::Unpaused,
                (false, true) => Self::Paused,
                (true, true) if before.paused_reason != after.paused_reason => Self::Paused,
                _ => Self::Updated,
            }),
        }
    }
}

/// The change_log.
#[derive(Debug, Default)]
pub(super) struct ChangeLog {
    changes: VecDeque<StateChange>,
    /// Number of the latest change; the first has 1.
    latest: u64,
}

impl ChangeLog {
    pub(super) fn push(&mut self, change: StateChange) {
        if self.changes.len() == CHANGE_LOG_CAPACITY {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
        self.latest += 1;
    }

    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    /// The changes behind that number, with theirs; `None` where some of them are
    /// not kept any more, or the number was never given.
    pub(super) fn since(&self, number: u64) -> Option<impl Iterator<Item = (u64, &StateChange)>> {
        let missed = usize::try_from(self.latest.checked_sub(number)?).ok()?;
        let start = self.changes.len().checked_sub(missed)?;
        Some((number + 1..).zip(self.changes.range(start..)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(change_log: &ChangeLog, since: u64) -> Option<Vec<u64>> {
        let changes = change_log.since(since)?;
        Some(changes.map(|(number, _)| number).collect())
    }

    #[test]
    fn a_follower_gets_what_it_missed_or_is_told_that_it_can_not() {
        let mut change_log = ChangeLog::default();
        assert_eq!(numbers(&change_log, 0), Some(vec![]));
        assert_eq!(numbers(&change_log, 1), None);
        for _ in 0..CHANGE_LOG_CAPACITY + 3 {
            change_log.push(StateChange::Link { connected: true });
        }
        let latest = CHANGE_LOG_CAPACITY as u64 + 3;
        assert_eq!(numbers(&change_log, latest), Some(vec![]));
        assert_eq!(
            numbers(&change_log, latest - 2),
            Some(vec![latest - 1, latest])
        );
        assert_eq!(
            numbers(&change_log, 3).map(|numbers| numbers.len()),
            Some(CHANGE_LOG_CAPACITY)
        );
        assert_eq!(numbers(&change_log, 2), None);
        assert_eq!(numbers(&change_log, latest + 1), None);
    }
}
