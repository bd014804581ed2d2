//! The wall clock as it was when something was heard. A machine that sleeps has both
//! clocks at once: the monotonic one stands still, and the wall clock is an hour ahead
//! when it wakes. `now - elapsed` would then claim that what was heard an hour ago is new.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tracing::warn;

/// The two clocks may drift apart by as much between two looks: the wall clock is slewed.
const JUMP: Duration = Duration::from_secs(1);

/// Jumps that are remembered; nothing older is asked for.
const REMEMBERED: usize = 8;

static CLOCK: Mutex<Clock> = Mutex::new(Clock {
    readings: VecDeque::new(),
    jumps: 0,
});

/// Looks at the clocks; returns how often the wall clock has jumped since the start.
pub(crate) fn jumps() -> u64 {
    let mut clock = lock();
    clock.look_and_warn(Instant::now(), SystemTime::now());
    clock.jumps
}

/// The time by the wall clock that far in the past, as the clock was then. Never in the
/// future.
pub(crate) fn before(age: Duration) -> SystemTime {
    let mut clock = lock();
    // Under the lock, so that readings are in order.
    let (instant, wall) = (Instant::now(), SystemTime::now());
    clock.look_and_warn(instant, wall);
    let heard = instant.checked_sub(age);
    heard.map_or(wall, |heard| clock.at(heard)).min(wall)
}

fn lock() -> MutexGuard<'static, Clock> {
    CLOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Clock {
    /// One for each time between two jumps, the latest last.
    readings: VecDeque<Reading>,
    jumps: u64,
}

/// Both clocks, read together; true of the time from `since` on.
#[derive(Clone, Copy)]
struct Reading {
    since: Instant,
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
    fn look_and_warn(&mut self, instant: Instant, wall: SystemTime) {
        if let Some(by) = self.look(instant, wall) {
            warn!(
                seconds = by.round(),
                "the wall clock has jumped, or the machine has slept: links are checked"
            );
        }
    }

    /// Takes a reading; returns by how many seconds the wall clock has jumped, if it has.
    fn look(&mut self, instant: Instant, wall: SystemTime) -> Option<f64> {
        let by = self.readings.back().map(|last| {
            let expected = last.at(instant);
            wall.duration_since(expected).map_or_else(
                |behind| -behind.duration().as_secs_f64(),
                |by| by.as_secs_f64(),
            )
        });
        let jumped = by.filter(|by| by.abs() > JUMP.as_secs_f64());
        let since = match self.readings.back() {
            Some(last) if jumped.is_none() => {
                let since = last.since;
                self.readings.pop_back();
                since
            }
            _ => instant,
        };
        self.jumps += u64::from(jumped.is_some());
        self.readings.push_back(Reading {
            since,
            instant,
            wall,
        });
        if self.readings.len() > REMEMBERED {
            self.readings.pop_front();
        }
        jumped
    }

    fn at(&self, instant: Instant) -> SystemTime {
        let mut readings = self.readings.iter().rev();
        let then = readings.find(|reading| reading.since <= instant);
        let then = then.or(self.readings.front());
        then.map_or_else(SystemTime::now, |reading| reading.at(instant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_before_a_jump_has_the_time_of_before() {
        let mut clock = Clock {
            readings: VecDeque::new(),
            jumps: 0,
        };
        let seconds = Duration::from_secs;
        let (start, wall) = (Instant::now(), SystemTime::now());
        assert_eq!(clock.look(start, wall), None);
        // Slewed by half a second.
        let slewed = wall + seconds(10) + Duration::from_millis(500);
        assert_eq!(clock.look(start + seconds(10), slewed), None);
        // An hour of sleep.
        let awake = wall + seconds(3600 + 20);
        let by = clock.look(start + seconds(20), awake).expect("a jump");
        assert!((by - 3599.5).abs() < 0.1, "{by}");
        assert_eq!(clock.at(start + seconds(9)), slewed - seconds(1));
        assert_eq!(clock.at(start + seconds(19)), slewed + seconds(9));
        assert_eq!(clock.at(start + seconds(20)), awake);
        assert_eq!(clock.at(start + seconds(21)), awake + seconds(1));
        // Set back.
        let by = clock.look(start + seconds(30), wall).expect("a jump");
        assert!(by < -3600.0, "{by}");
        assert_eq!(clock.at(start + seconds(21)), awake + seconds(1));
        assert_eq!(clock.jumps, 2);
        for jump in 1..100 {
            let wall = wall + seconds(3600 * (jump % 2));
            clock.look(start + seconds(30 + jump), wall);
        }
        assert_eq!(clock.readings.len(), REMEMBERED);
    }
}
