//! The figures of a report's rows.

use std::collections::BTreeMap;

/// The pauses with one reason, or all pauses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PauseFigures {
    /// The time in pauses.
    pub seconds: i64,
    /// The number of pauses that began.
    pub pauses: u64,
    /// The number of these pauses that exceeded the limit of their reason.
    pub overdue: u64,
}

/// The figures of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// The time as a member of a queue.
    pub logged_in_seconds: i64,
    /// The time paused in any queue, whatever the reason.
    pub paused_seconds: i64,
    /// The number of calls that ended.
    pub calls_taken: u64,
    /// The length of these calls.
    pub talk_seconds: i64,
    /// The number of missed calls.
    pub missed_calls: u64,
    /// The time after calls in which Asterisk sent no call because of the wrap-up time.
    pub wrap_up_seconds: i64,
    /// The pauses, by the index of their reason.
    pub reasons: BTreeMap<u32, PauseFigures>,
    /// The callers.
    pub callers: CallerFigures,
}

impl Figures {
    /// Returns the number of pauses with any reason.
    #[must_use]
    pub fn pauses(&self) -> u64 {
        self.reasons.values().map(|pauses| pauses.pauses).sum()
    }

    /// Returns the number of overdue pauses with any reason.
    #[must_use]
    pub fn overdue_pauses(&self) -> u64 {
        self.reasons.values().map(|pauses| pauses.overdue).sum()
    }
}

/// The figures of callers who left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallerFigures {
    /// The number of callers who left a queue, for any reason.
    pub callers: u64,
    /// The number of callers whom a member answered.
    pub answered: u64,
    /// The number of callers who hung up.
    pub abandoned: u64,
    /// The waits of callers who were answered or hung up.
    pub wait_seconds: i64,
    /// The longest of these waits.
    pub longest_wait_seconds: u32,
    /// The number of callers who were answered within the queue's service level.
    pub answered_within_service_level: u64,
}

impl CallerFigures {
    /// Returns the average wait of callers who were answered or hung up, rounded to whole
    /// seconds; 0 if there were none.
    #[must_use]
    pub fn average_wait_seconds(&self) -> i64 {
        let count = i64::try_from(self.answered + self.abandoned).unwrap_or(i64::MAX);
        if count == 0 {
            return 0;
        }
        (self.wait_seconds + count / 2) / count
    }
}
