//! The wall-clock time of past events, on a machine that may be suspended.
//!
//! While a machine is suspended, its monotonic clock stops but its wall clock keeps running. If
//! the machine is suspended for an hour after an event, the event's monotonic age lacks that
//! hour, and the current wall-clock time minus this age is an hour too late. This module
//! therefore keeps the last reading of both clocks before each jump of the wall clock, and uses
//! it to date events from before the jump.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tracing::warn;

/// NTP slews the wall clock, so it may gain or lose this much on the monotonic clock between
/// two readings. A larger difference is a jump.
const MAX_SLEW: Duration = Duration::from_secs(1);

/// Maximum number of stored readings. No caller asks about older events.
const MAX_READINGS: usize = 8;

static HISTORY: Mutex<ClockHistory> = Mutex::new(ClockHistory {
    readings: VecDeque::new(),
    jumps: 0,
});

/// Reads both clocks and returns the number of wall-clock jumps since the process started.
pub(crate) fn jumps() -> u64 {
    let mut history = lock();
    history.add_reading_and_warn(Instant::now(), SystemTime::now());
    history.jumps
}

/// Returns the time that the wall clock showed when an event of this age happened. The
/// returned time is never in the future.
pub(crate) fn event_time(age: Duration) -> SystemTime {
    let mut history = lock();
    // Read the clocks under the lock, so that the readings are in order.
    let (instant, wall) = (Instant::now(), SystemTime::now());
    history.add_reading_and_warn(instant, wall);
    let event = instant.checked_sub(age);
    event
        .map_or(wall, |event| history.wall_time_at(event))
        .min(wall)
}

/// Returns the current time in Unix milliseconds.
pub(crate) fn unix_millis() -> i64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since_epoch.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

fn lock() -> MutexGuard<'static, ClockHistory> {
    HISTORY.lock().unwrap_or_else(PoisonError::into_inner)
}

struct ClockHistory {
    /// The last reading before each jump and the latest reading, oldest first.
    readings: VecDeque<Reading>,
    jumps: u64,
}

/// Both clocks, read at the same moment.
#[derive(Clone, Copy)]
struct Reading {
    /// The first reading after the previous jump.
    period_start: Instant,
    instant: Instant,
    wall: SystemTime,
}

impl Reading {
    fn wall_time_at(&self, instant: Instant) -> SystemTime {
        match instant.checked_duration_since(self.instant) {
            Some(elapsed) => self.wall + elapsed,
            None => self.wall - self.instant.duration_since(instant),
        }
    }
}

impl ClockHistory {
    fn add_reading_and_warn(&mut self, instant: Instant, wall: SystemTime) {
        if let Some(jump) = self.add_reading(instant, wall) {
            warn!(
                seconds = jump.round(),
                "the wall clock has jumped, or the machine was suspended; checking all links"
            );
        }
    }

    /// Adds a reading. If the wall clock has jumped since the last reading, returns the size of
    /// the jump in seconds; negative if the clock was set back.
    fn add_reading(&mut self, instant: Instant, wall: SystemTime) -> Option<f64> {
        let difference = self.readings.back().map(|last| {
            let expected = last.wall_time_at(instant);
            wall.duration_since(expected).map_or_else(
                |backward| -backward.duration().as_secs_f64(),
                |forward| forward.as_secs_f64(),
            )
        });
        let jump = difference.filter(|seconds| seconds.abs() > MAX_SLEW.as_secs_f64());
        let period_start = match self.readings.back() {
            Some(last) if jump.is_none() => {
                let start = last.period_start;
                self.readings.pop_back();
                start
            }
            _ => instant,
        };
        self.jumps += u64::from(jump.is_some());
        self.readings.push_back(Reading {
            period_start,
            instant,
            wall,
        });
        if self.readings.len() > MAX_READINGS {
            self.readings.pop_front();
        }
        jump
    }

    fn wall_time_at(&self, instant: Instant) -> SystemTime {
        let mut readings = self.readings.iter().rev();
        let reading = readings.find(|reading| reading.period_start <= instant);
        let reading = reading.or(self.readings.front());
        reading.map_or_else(SystemTime::now, |reading| reading.wall_time_at(instant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_before_a_jump_is_dated_by_a_reading_before_the_jump() {
        let mut history = ClockHistory {
            readings: VecDeque::new(),
            jumps: 0,
        };
        let seconds = Duration::from_secs;
        let (start, wall) = (Instant::now(), SystemTime::now());
        assert_eq!(history.add_reading(start, wall), None);
        // NTP has slewed the wall clock by half a second.
        let slewed = wall + seconds(10) + Duration::from_millis(500);
        assert_eq!(history.add_reading(start + seconds(10), slewed), None);
        // The machine was suspended for an hour.
        let resumed = wall + seconds(3600 + 20);
        let jump = history
            .add_reading(start + seconds(20), resumed)
            .expect("a jump");
        assert!((jump - 3599.5).abs() < 0.1, "{jump}");
        assert_eq!(
            history.wall_time_at(start + seconds(9)),
            slewed - seconds(1)
        );
        assert_eq!(
            history.wall_time_at(start + seconds(19)),
            slewed + seconds(9)
        );
        assert_eq!(history.wall_time_at(start + seconds(20)), resumed);
        assert_eq!(
            history.wall_time_at(start + seconds(21)),
            resumed + seconds(1)
        );
        // The wall clock is set back.
        let jump = history
            .add_reading(start + seconds(30), wall)
            .expect("a jump");
        assert!(jump < -3600.0, "{jump}");
        assert_eq!(
            history.wall_time_at(start + seconds(21)),
            resumed + seconds(1)
        );
        assert_eq!(history.jumps, 2);
        for jump in 1..100 {
            let wall = wall + seconds(3600 * (jump % 2));
            history.add_reading(start + seconds(30 + jump), wall);
        }
        assert_eq!(history.readings.len(), MAX_READINGS);
    }
}
