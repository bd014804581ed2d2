//! The timers of the simulated PBX.

use std::collections::BTreeMap;
use std::time::Duration;

use super::call::CallId;
use crate::simulator::behavior::Party;

/// The operation that runs when a timer expires.
#[derive(Debug, Clone)]
pub(crate) enum Timer {
    /// A caller source generates its calls. `source` is its index in
    /// `Behavior::caller_sources`.
    GenerateCalls { source: usize },
    /// A queue distributes its waiting callers to available members.
    Distribute { queue: String },
    /// A member answers a call.
    Answer { call_id: CallId, interface: String },
    /// A queue's ring timeout ends a ring attempt.
    RingTimeout { call_id: CallId, attempt: u32 },
    /// The caller hangs up if no agent has answered.
    GiveUp { call_id: CallId },
    /// A party hangs up.
    HangUp { call_id: CallId, party: Party },
    /// An agent ends the longest conversation.
    EndLongestCall,
    /// An agent takes a break. `agent` is the index in `AgentBreaks::interfaces`.
    StartBreak { agent: usize },
    /// An agent's break ends. `paused_at` is the `LastPause` of that break, in Unix
    /// seconds.
    EndBreak { agent: usize, paused_at: u64 },
    /// A scheduled pause begins. `index` is its index in `Behavior::scheduled_pauses`.
    BeginScheduledPause { index: usize },
    /// A scheduled pause ends.
    EndScheduledPause { index: usize },
}

/// The running timers. Times are on the simulated clock.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// Keyed by expiry time and a sequence number. Timers with the same expiry time run in the
    /// order in which they were started.
    running: BTreeMap<(Duration, u64), Timer>,
    last_sequence_number: u64,
}

impl Timers {
    pub(crate) fn start(&mut self, expiry: Duration, timer: Timer) {
        self.last_sequence_number += 1;
        self.running
            .insert((expiry, self.last_sequence_number), timer);
    }

    /// Removes the timer that expires first, if it expires at or before `now`. Returns
    /// the timer and its expiry time.
    pub(crate) fn pop_expired(&mut self, now: Duration) -> Option<(Duration, Timer)> {
        let first = self.running.first_entry()?;
        let (expiry, _) = *first.key();
        (expiry <= now).then(|| (expiry, first.remove()))
    }

    pub(crate) fn next_expiry(&self) -> Option<Duration> {
        let ((expiry, _), _) = self.running.first_key_value()?;
        Some(*expiry)
    }
}
