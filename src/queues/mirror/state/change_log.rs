//! A numbered log of the mirror's latest changes, for event streams.
//!
//! All followers share one log, and each follower only stores the number of the last change that
//! it has read. If the log no longer contains changes that a follower has missed, the follower
//! starts again from a snapshot, so even a very slow follower costs nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::queues::model::Member;
use crate::queues::name::QueueName;

/// Maximum number of changes in the log. A busy PBX takes several seconds to fill the log.
const CHANGE_LOG_CAPACITY: usize = 4096;

/// A change to the mirror.
#[derive(Debug, Clone)]
pub enum StateChange {
    /// A member has changed.
    Member {
        /// The queue's name on the PBX.
        queue: QueueName,
        /// What has changed.
        change: MemberChange,
        /// The member after the change, or before it if the member was removed.
        member: Arc<Member>,
    },
    /// A queue's callers or statistics have changed.
    Statistics {
        /// The queue's name on the PBX.
        queue: QueueName,
    },
    /// A queue has appeared or disappeared, or its settings have changed.
    Queue {
        /// The queue's name on the PBX.
        queue: QueueName,
    },
    /// The link was lost, or a link was established and the mirror is complete.
    Link {
        /// False if the link was lost.
        connected: bool,
    },
}

impl StateChange {
    /// Returns the queue whose callers, statistics or agent counts have changed.
    #[must_use]
    pub fn affects_statistics_of(&self) -> Option<&QueueName> {
        match self {
            Self::Member { queue, .. } | Self::Statistics { queue } => Some(queue),
            Self::Queue { .. } | Self::Link { .. } => None,
        }
    }
}

/// The kind of change to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberChange {
    /// The member was added.
    Added,
    /// The member was removed.
    Removed,
    /// The member was paused, or its pause reason has changed.
    Paused,
    /// The member was unpaused.
    Unpaused,
    /// Anything else has changed.
    Updated,
}

impl MemberChange {
    /// Returns the difference between two states of a member, or `None` if readers see no
    /// difference.
    pub(super) fn between(before: Option<&Member>, after: Option<&Member>) -> Option<Self> {
        match (before, after) {
            (None, None) => None,
            (None, Some(_)) => Some(Self::Added),
            (Some(_), None) => Some(Self::Removed),
            (Some(before), Some(after)) if before.is_equivalent(after) => None,
            (Some(before), Some(after)) => Some(match (before.paused, after.paused) {
                (true, false) => Self::Unpaused,
                (false, true) => Self::Paused,
                (true, true) if before.paused_reason != after.paused_reason => Self::Paused,
                _ => Self::Updated,
            }),
        }
    }
}

/// The latest changes.
#[derive(Debug, Default)]
pub(super) struct ChangeLog {
    changes: VecDeque<StateChange>,
    /// Number of the latest change. The first change is number 1.
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

    /// Returns the changes after `number`, each with its number. Returns `None` if some of them
    /// are no longer in the log, or if the log has not reached `number` yet.
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
    fn change_log_returns_changes_since_a_number_or_none_if_some_were_dropped() {
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
