//! The times at which changes are made, shared between the sender and the streams.

use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{Result, interrupt};

/// The changes of a turn.
pub(crate) struct Changes {
    /// The number of the first change.
    pub(crate) start: u32,
    sent: Vec<OnceLock<Instant>>,
}

impl Changes {
    pub(crate) fn new(start: u32, count: u32) -> Self {
        Self {
            start,
            sent: (0..count).map(|_| OnceLock::new()).collect(),
        }
    }

    /// Returns the number after the last change.
    pub(crate) fn end(&self) -> u32 {
        self.start + self.sent.len() as u32
    }

    /// Returns the time since a change was sent.
    pub(crate) fn age(&self, change: u32) -> Option<Duration> {
        let sent = self.sent.get(change.checked_sub(self.start)? as usize)?;
        Some(sent.get()?.elapsed())
    }

    /// Calls `send` for each change, at regular intervals.
    pub(crate) fn send(&self, rate: u32, mut send: impl FnMut(u32) -> Result<()>) -> Result<()> {
        let begin = Instant::now();
        for (index, sent) in (0_u32..).zip(&self.sent) {
            sleep_until(begin + Duration::from_secs(1) * index / rate);
            interrupt::check()?;
            self.mark(sent);
            send(self.start + index)?;
        }
        Ok(())
    }

    /// Marks changes as sent now.
    pub(crate) fn mark_sent(&self, changes: impl IntoIterator<Item = u32>) {
        for change in changes {
            let index = change.checked_sub(self.start);
            if let Some(sent) = index.and_then(|index| self.sent.get(index as usize)) {
                self.mark(sent);
            }
        }
    }

    fn mark(&self, sent: &OnceLock<Instant>) {
        sent.get_or_init(Instant::now);
    }
}

pub(crate) fn sleep_until(at: Instant) {
    sleep(at.saturating_duration_since(Instant::now()));
}
