//! The callers who have just left.
//!
//! Asterisk reports that a caller has left, and before or after that, that the caller was answered
//! or has hung up. Both events belong to one row.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::report::outcome::CallerOutcome;

/// Maximum number of callers. The oldest are forgotten.
const MAX_CALLERS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct RecentCallers {
    by_key: HashMap<(Arc<str>, String), Caller>,
    order: VecDeque<(Arc<str>, String)>,
}

#[derive(Debug)]
struct Caller {
    row_id: i64,
    left_at: i64,
    outcome: CallerOutcome,
}

impl RecentCallers {
    /// Forgets an earlier call of this caller in this queue.
    pub(super) fn joined(&mut self, queue: &Arc<str>, unique_id: &str) {
        self.by_key
            .remove(&(Arc::clone(queue), unique_id.to_owned()));
    }

    /// Records that a caller has left. Returns the id of the row to store, the queue, and when the
    /// caller left; `None` if nothing is new. A new row gets `next_id`.
    pub(super) fn left(
        &mut self,
        queue: Arc<str>,
        unique_id: String,
        outcome: CallerOutcome,
        next_id: i64,
        at: i64,
    ) -> Option<(i64, Arc<str>, i64)> {
        let key = (Arc::clone(&queue), unique_id);
        if let Some(caller) = self.by_key.get_mut(&key) {
            if caller.outcome != CallerOutcome::Left || outcome == CallerOutcome::Left {
                return None;
            }
            caller.outcome = outcome;
            return Some((caller.row_id, queue, caller.left_at));
        }
        if self.order.len() == MAX_CALLERS
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_key.remove(&oldest);
        }
        self.order.push_back(key.clone());
        let caller = Caller {
            row_id: next_id,
            left_at: at,
            outcome,
        };
        self.by_key.insert(key, caller);
        Some((next_id, queue, at))
    }
}
