//! Notices when the wall clock was set, and when the recorder could not run.

use std::time::Duration;

/// NTP slews the wall clock. A larger difference between two ticks means that the clock was set.
const MAX_SLEW_SECONDS: f64 = 2.0;

/// If the recorder has not run for this long, it may have missed something.
const MAX_STALL: Duration = Duration::from_secs(5);

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    /// The time since the machine was started, including the time in which it was suspended.
    pub uptime: Duration,
    /// The wall-clock time since the Unix epoch.
    pub wall: Duration,
}

impl Clocks {
    /// Returns the wall-clock time in Unix seconds.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.wall.as_secs() as i64
    }
}

/// What two ticks have in between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClockChange {
    /// The wall clock was set forward by `by` seconds; negative if it was set back.
    Set { by: i64 },
    /// The process or the machine stood still since this time, in Unix seconds.
    Stalled { since: i64 },
}

/// The clocks at the last tick.
#[derive(Debug, Default)]
pub(super) struct ClockWatch(Option<Clocks>);

impl ClockWatch {
    pub(super) fn tick(&mut self, now: Clocks) -> Option<ClockChange> {
        let last = self.0.replace(now)?;
        let passed = now.uptime.saturating_sub(last.uptime);
        let expected = (last.wall + passed).as_secs_f64();
        let step = now.wall.as_secs_f64() - expected;
        if step.abs() > MAX_SLEW_SECONDS {
            let by = step.round() as i64;
            return Some(ClockChange::Set { by });
        }
        let since = now.wall.saturating_sub(passed).as_secs() as i64;
        (passed > MAX_STALL).then_some(ClockChange::Stalled { since })
    }
}
