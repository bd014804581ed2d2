//! Asterisk's `queue_log`.

use std::collections::VecDeque;
use std::fmt::Display;

/// The maximum number of lines. If the log is full, each new line replaces the oldest line.
const MAX_LINES: usize = 50_000;

/// The lines of `queue_log`.
#[derive(Debug, Default)]
pub(crate) struct QueueLog {
    lines: VecDeque<String>,
}

impl QueueLog {
    /// Appends a line. The fields are named as in Asterisk's documentation; a field that
    /// does not apply is `NONE`.
    pub(crate) fn append(
        &mut self,
        unix_seconds: u64,
        call_id: &str,
        queue: &str,
        agent: &str,
        event: &str,
        data: impl Display,
    ) {
        let line = format!("{unix_seconds}|{call_id}|{queue}|{agent}|{event}|{data}\n");
        self.lines.push_back(line);
        if self.lines.len() > MAX_LINES {
            self.lines.pop_front();
        }
    }

    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(String::as_str).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }
}
