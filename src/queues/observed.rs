//! Facts about a member that Asterisk does not report.

use std::sync::Arc;

use super::name::QueueName;

/// Facts about a member that Asterisk does not report. Times are Unix milliseconds on the
/// bridge's clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// When the member's state began, without regard to wrap-up. `None` if the bridge did not
    /// see it begin, or if it began with the pause.
    pub state_since: Option<i64>,
    /// Since when the bridge has watched the member.
    pub watched_since: i64,
    /// The queue of the member's last call, or several queues if the bridge did not see which
    /// of them it was. `None` if the call was in the member's own queue.
    pub call_queues: Option<Arc<[QueueName]>>,
    /// The end that a request has given to the current pause.
    pub pause_end: Option<i64>,
}

impl Observed {
    /// Moves the times forward by `millis`, because the bridge's clock was set forward by that
    /// much. The promised end of a pause is a date, and stays.
    pub(super) fn shift_times(&mut self, millis: i64) {
        self.state_since = self.state_since.map(|since| since.saturating_add(millis));
        self.watched_since = self.watched_since.saturating_add(millis);
    }
}
