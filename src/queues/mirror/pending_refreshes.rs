//! What Asterisk is to be asked about, and when.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::queues::name::QueueName;

/// A question about queues.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Refresh {
    /// Which queues there are, with figures and callers.
    Queues,
    /// A queue as a whole.
    Queue(QueueName),
    /// A queue's figures and callers.
    Statistics(QueueName),
    /// A member of a queue, with the queue's figures and callers.
    Member {
        queue: QueueName,
        interface: Arc<str>,
        /// Once more, somewhat later.
        again: bool,
    },
}

impl Refresh {
    /// The queue that it is about; `None` for all.
    pub(super) fn queue(&self) -> Option<&str> {
        match self {
            Self::Queues => None,
            Self::Queue(queue) | Self::Statistics(queue) | Self::Member { queue, .. } => {
                Some(queue)
            }
        }
    }
}

/// The second look at a member whose call has begun or ended: Asterisk tells of
/// it before it counts it.
const AGAIN: Duration = Duration::from_millis(900);

/// The questions, each with its time.
#[derive(Debug, Default)]
pub(super) struct PendingRefreshes {
    questions: HashMap<Refresh, Instant>,
}

impl PendingRefreshes {
    /// Adds a question. One that is waiting already keeps the earlier time, so that a
    /// busy queue is asked about as often as a quiet one.
    pub(super) fn add(&mut self, refresh: Refresh, at: Instant) {
        let due = self.questions.entry(refresh);
        due.and_modify(|due| *due = at.min(*due)).or_insert(at);
    }

    /// The question that is due longest.
    pub(super) fn take(&mut self, now: Instant) -> Option<Refresh> {
        let due = self.questions.iter().filter(|(_, at)| **at <= now);
        // Of the same time, which queues there are comes first.
        let (refresh, _) = due.min_by_key(|(refresh, at)| (**at, *refresh))?;
        let refresh = refresh.clone();
        self.questions.remove(&refresh);
        if let Refresh::Member {
            queue,
            interface,
            again: true,
        } = &refresh
        {
            let later = Refresh::Member {
                queue: queue.clone(),
                interface: Arc::clone(interface),
                again: false,
            };
            // One that waits already is answered by this first look.
            self.questions.insert(later, now + AGAIN);
        }
        Some(refresh)
    }

    /// Whether a question is waiting that will tell of that member.
    pub(super) fn covers(&self, queue: &str, interface: &str) -> bool {
        self.questions.keys().any(|waiting| match waiting {
            Refresh::Queue(asked) => **asked == *queue,
            Refresh::Member {
                queue: asked,
                interface: member,
                ..
            } => **asked == *queue && member.eq_ignore_ascii_case(interface),
            Refresh::Queues | Refresh::Statistics(_) => false,
        })
    }

    /// A list of all queues with their members was asked for: it answers what was due
    /// then.
    pub(super) fn answered_by_whole_list(&mut self, asked: Instant) {
        self.questions.retain(|waiting, due| {
            *due > asked || matches!(waiting, Refresh::Member { again: true, .. })
        });
    }

    /// A list of all queues with that member was asked for.
    pub(super) fn answered_by_member_list(&mut self, interface: &str, asked: Instant) {
        self.questions.retain(|waiting, due| match waiting {
            Refresh::Member {
                interface: member,
                again: false,
                ..
            } => *due > asked || !member.eq_ignore_ascii_case(interface),
            _ => true,
        });
    }

    /// Members whose calls have just begun or ended, by queue.
    pub(super) fn called_members(&self) -> HashMap<&QueueName, Vec<Arc<str>>> {
        let mut members: HashMap<_, Vec<_>> = HashMap::new();
        for waiting in self.questions.keys() {
            if let Refresh::Member {
                queue,
                interface,
                again: true,
            } = waiting
            {
                members
                    .entry(queue)
                    .or_default()
                    .push(Arc::clone(interface));
            }
        }
        members
    }

    /// When the next question is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.questions.values().copied().min()
    }

    pub(super) fn clear(&mut self) {
        self.questions.clear();
    }
}
