//! What Asterisk is to be asked about, and when.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// A question about queues.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Refresh {
    /// Which queues there are, with figures and callers.
    Queues,
    /// A queue as a whole.
    Queue(Arc<str>),
    /// A queue's figures and callers.
    Figures(Arc<str>),
    /// A member of a queue, with the queue's figures and callers.
    Member {
        queue: Arc<str>,
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
            Self::Queue(queue) | Self::Figures(queue) | Self::Member { queue, .. } => Some(queue),
        }
    }
}

/// The second look at a member whose call has begun or ended: Asterisk tells of
/// it before it counts it.
const AGAIN: Duration = Duration::from_millis(900);

/// The questions, each with its time.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    questions: HashMap<Refresh, Instant>,
}

impl Wanted {
    /// Adds a question. One that is waiting already keeps its time, so that a
    /// busy queue is asked about as often as a quiet one.
    pub(super) fn add(&mut self, refresh: Refresh, at: Instant) {
        self.questions.entry(refresh).or_insert(at);
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
                queue: Arc::clone(queue),
                interface: Arc::clone(interface),
                again: false,
            };
            // One that waits already is answered by this first look.
            self.questions.insert(later, now + AGAIN);
        }
        Some(refresh)
    }

    /// Whether a question is waiting that will tell of that member.
    pub(super) fn is_about(&self, queue: &str, interface: &str) -> bool {
        self.questions.keys().any(|waiting| match waiting {
            Refresh::Queue(asked) => **asked == *queue,
            Refresh::Member {
                queue: asked,
                interface: member,
                ..
            } => **asked == *queue && member.eq_ignore_ascii_case(interface),
            Refresh::Queues | Refresh::Figures(_) => false,
        })
    }

    /// When the next question is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.questions.values().copied().min()
    }

    pub(super) fn clear(&mut self) {
        self.questions.clear();
    }
}
