//! The refreshes that the mirror has requested.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::queues::name::QueueName;

/// A query that refreshes part of the mirror.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::queues::mirror) enum Refresh {
    /// All queues, with statistics and callers, without members.
    Queues,
    /// One queue, with all members, statistics and callers.
    Queue(QueueName),
    /// A queue's statistics and callers.
    Statistics(QueueName),
    /// A member of a queue, with the queue's statistics and callers.
    Member {
        queue: QueueName,
        interface: Arc<str>,
        /// Whether to query a second time, [`SECOND_QUERY_DELAY`] later.
        query_twice: bool,
    },
}

impl Refresh {
    /// Returns the queue to refresh, or `None` for all queues.
    pub(super) fn queue(&self) -> Option<&str> {
        match self {
            Self::Queues => None,
            Self::Queue(queue) | Self::Statistics(queue) | Self::Member { queue, .. } => {
                Some(queue)
            }
        }
    }
}

/// Delay of the second query about a member whose call has started or ended. The second query
/// is needed because Asterisk sends the event before it counts the call.
const SECOND_QUERY_DELAY: Duration = Duration::from_millis(900);

/// The pending refreshes, each with its due time.
#[derive(Debug, Default)]
pub(super) struct PendingRefreshes {
    due: HashMap<Refresh, Instant>,
}

impl PendingRefreshes {
    /// Adds a refresh. If an equal refresh is already pending, the earlier due time applies, so
    /// that a busy queue is queried no more often than a quiet one.
    pub(super) fn add(&mut self, refresh: Refresh, at: Instant) {
        let due = self.due.entry(refresh);
        due.and_modify(|due| *due = at.min(*due)).or_insert(at);
    }

    /// Takes the refresh that has been due longest.
    pub(super) fn take(&mut self, now: Instant) -> Option<Refresh> {
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        // Of several refreshes with the same due time, the list of all queues comes first.
        let (refresh, _) = due.min_by_key(|(refresh, at)| (**at, *refresh))?;
        let refresh = refresh.clone();
        self.due.remove(&refresh);
        if let Refresh::Member {
            queue,
            interface,
            query_twice: true,
        } = &refresh
        {
            let second = Refresh::Member {
                queue: queue.clone(),
                interface: Arc::clone(interface),
                query_twice: false,
            };
            // The first query replaces a second query that is already pending.
            self.due.insert(second, now + SECOND_QUERY_DELAY);
        }
        Some(refresh)
    }

    /// Returns whether a pending refresh will list this member.
    pub(super) fn covers(&self, queue: &str, interface: &str) -> bool {
        self.due.keys().any(|pending| match pending {
            Refresh::Queue(name) => **name == *queue,
            Refresh::Member {
                queue: name,
                interface: member,
                ..
            } => **name == *queue && member.eq_ignore_ascii_case(interface),
            Refresh::Queues | Refresh::Statistics(_) => false,
        })
    }

    /// Removes the refreshes that were due when a list of all queues with all members was
    /// queried, because the list answers them.
    pub(super) fn answered_by_full_list(&mut self, queried_at: Instant) {
        self.due.retain(|pending, due| {
            *due > queried_at
                || matches!(
                    pending,
                    Refresh::Member {
                        query_twice: true,
                        ..
                    }
                )
        });
    }

    /// Removes the refreshes of a member that were due when a list of all queues with this
    /// member was queried, because the list answers them.
    pub(super) fn answered_by_member_list(&mut self, interface: &str, queried_at: Instant) {
        self.due.retain(|pending, due| match pending {
            Refresh::Member {
                interface: member,
                query_twice: false,
                ..
            } => *due > queried_at || !member.eq_ignore_ascii_case(interface),
            _ => true,
        });
    }

    /// Returns the members whose calls have just started or ended, by queue.
    pub(super) fn members_with_call_changes(&self) -> HashMap<&QueueName, Vec<Arc<str>>> {
        let mut members: HashMap<_, Vec<_>> = HashMap::new();
        for pending in self.due.keys() {
            if let Refresh::Member {
                queue,
                interface,
                query_twice: true,
            } = pending
            {
                let members: &mut Vec<_> = members.entry(queue).or_default();
                members.push(Arc::clone(interface));
            }
        }
        members
    }

    /// Returns the time at which the next refresh is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.values().copied().min()
    }

    pub(super) fn clear(&mut self) {
        self.due.clear();
    }
}
