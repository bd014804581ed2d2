//! The wall-clock time of past events, on a machine that may be suspended.
//!
//! While a machine is suspended, its monotonic clock stands still and its wall clock does
//! not. If the machine is suspended for an hour after an event, the monotonic age of the
//! event lacks that hour, and "wall-clock time now minus age" is an hour too late. So this
//! module records both clocks when the wall clock jumps, and dates an event by the readings
//! from before the jump.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tracing::warn;

/// The wall clock may differ by this much from the monotonic clock between two readings,
/// because NTP slews it. A larger difference is a jump.
const MAX_SLEW: Duration = Duration::from_secs(1);

/// The number of readings to store. No caller asks about anything older.
const MAX_READINGS: usize = 8;

static CLOCK: Mutex<Clock> = Mutex::new(Clock {
    readings: VecDeque::new(),
    jumps: 0,
});

/// Reads both clocks, and returns how often the wall clock has jumped since the start.
pub(crate) fn jumps() -> u64 {
    let mut clock = lock();
    clock.read_and_warn(Instant::now(), SystemTime::now());
    clock.jumps
}

/// The wall-clock time of an event that is `age` old, as the wall clock was at that time.
/// Never in the future.
pub(crate) fn before(age: Duration) -> SystemTime {
    let mut clock = lock();
    // Taken under the lock, so that readings are in order.
    let (instant, wall) = (Instant::now(), SystemTime::now());
    clock.read_and_warn(instant, wall);
    let event = instant.checked_sub(age);
    event.map_or(wall, |event| clock.at(event)).min(wall)
}

fn lock() -> MutexGuard<'static, Clock> {
    CLOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Clock {
    /// The last reading of each period between two jumps, in order.
    readings: VecDeque<Reading>,
    jumps: u64,
}

/// Both clocks, read together.
#[derive(Clone, Copy)]
struct Reading {
    /// Start of the period between two jumps.
    period_start: Instant,
    instant: Instant,
    wall: SystemTime,
}

impl Reading {
    fn at(&self, instant: Instant) -> SystemTime {
        match instant.checked_duration_since(self.instant) {
            Some(after) => self.wall + after,
            None => self.wall - self.instant.duration_since(instant),
        }
    }
}

impl Clock {
    fn read_and_warn(&mut self, instant: Instant, wall: SystemTime) {
        if let Some(jump) = self.add_reading(instant, wall) {
            warn!(
                seconds = jump.round(),
                "the wall clock has jumped, or the machine was suspended; checking all links"
            );
        }
    }

    /// Adds a reading. Returns the seconds by which the wall clock has jumped, if it has.
    fn add_reading(&mut self, instant: Instant, wall: SystemTime) -> Option<f64> {
        let difference = self.readings.back().map(|last| {
            let expected = last.at(instant);
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

    fn at(&self, instant: Instant) -> SystemTime {
        let mut readings = self.readings.iter().rev();
        let reading = readings.find(|reading| reading.period_start <= instant);
        let reading = reading.or(self.readings.front());
        reading.map_or_else(SystemTime::now, |reading| reading.at(instant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_before_a_jump_is_dated_by_the_clock_of_its_own_time() {
        let mut clock = Clock {
            readings: VecDeque::new(),
            jumps: 0,
        };
        let seconds = Duration::from_secs;
        let (start, wall) = (Instant::now(), SystemTime::now());
        assert_eq!(clock.add_reading(start, wall), None);
        // NTP has slewed the wall clock by half a second.
        let slewed = wall + seconds(10) + Duration::from_millis(500);
        assert_eq!(clock.add_reading(start + seconds(10), slewed), None);
        // The machine was suspended for an hour.
        let resumed = wall + seconds(3600 + 20);
        let jump = clock
            .add_reading(start + seconds(20), resumed)
            .expect("a jump");
        assert!((jump - 3599.5).abs() < 0.1, "{jump}");
        assert_eq!(clock.at(start + seconds(9)), slewed - seconds(1));
        assert_eq!(clock.at(start + seconds(19)), slewed + seconds(9));
        assert_eq!(clock.at(start + seconds(20)), resumed);
        assert_eq!(clock.at(start + seconds(21)), resumed + seconds(1));
        // The wall clock is set back.
        let jump = clock
            .add_reading(start + seconds(30), wall)
            .expect("a jump");
        assert!(jump < -3600.0, "{jump}");
        assert_eq!(clock.at(start + seconds(21)), resumed + seconds(1));
        assert_eq!(clock.jumps, 2);
        for jump in 1..100 {
            let wall = wall + seconds(3600 * (jump % 2));
            clock.add_reading(start + seconds(30 + jump), wall);
        }
        assert_eq!(clock.readings.len(), MAX_READINGS);
    }
}
