//! Converts times from Asterisk's clock to the bridge's clock.

/// The maximum number of seconds by which an event may be late on a busy PBX.
const MAX_EVENT_DELAY_SECONDS: i64 = 30;

/// The maximum number of seconds by which an event's converted time may be ahead of the
/// bridge's clock, because the measured clock offset is imprecise.
const MAX_CLOCK_ERROR_SECONDS: i64 = 2;

/// A time from Asterisk, in whole seconds, with its conversion to the bridge's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PbxTime {
    /// Unix seconds on Asterisk's clock, as Asterisk reports them; 0 means never. `None` for an
    /// acknowledged change whose time Asterisk has not reported yet.
    reported: Option<i64>,
    /// Unix seconds on the bridge's clock.
    unix: i64,
}

impl PbxTime {
    /// Creates a time that Asterisk has reported, in Unix seconds on Asterisk's clock; 0 means
    /// never. The time is not converted yet.
    #[must_use]
    pub fn reported(seconds: i64) -> Self {
        Self {
            reported: Some(seconds),
            unix: seconds,
        }
    }

    /// Creates a provisional time for a change that Asterisk has acknowledged, until Asterisk
    /// reports the exact time. `unix` is the time of the acknowledgment on the bridge's clock.
    #[must_use]
    pub fn acknowledged(unix: i64) -> Self {
        Self {
            reported: None,
            unix,
        }
    }

    /// Returns the number that Asterisk has reported; 0 means never. Returns `None` if Asterisk
    /// has not reported the time yet.
    pub(super) fn reported_seconds(self) -> Option<i64> {
        self.reported
    }

    /// Returns the time in Unix seconds on the bridge's clock; 0 means never.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.unix
    }

    /// Converts the time to the bridge's clock. `clock_offset` is the number of seconds by
    /// which Asterisk's clock is ahead. If `previous` has the same reported number, reuses its
    /// conversion, because Asterisk's clock may have been set after the previous report.
    pub(super) fn to_bridge_clock(self, previous: Option<Self>, clock_offset: i64) -> Self {
        match self.reported {
            None | Some(0) => self,
            reported => match previous {
                Some(previous) if previous.reported == reported => previous,
                _ => Self {
                    unix: self.unix.saturating_sub(clock_offset),
                    ..self
                },
            },
        }
    }

    /// Checks the time of something that has just happened. If the converted time is not close
    /// to `now`, Asterisk's clock has just been set and the conversion is wrong. In that case,
    /// replaces the converted time with `now` and returns true.
    pub(super) fn correct_if_implausible(&mut self, now: i64) -> bool {
        let plausible = now - MAX_EVENT_DELAY_SECONDS..=now + MAX_CLOCK_ERROR_SECONDS;
        let is_implausible = self.reported != Some(0) && !plausible.contains(&self.unix);
        if is_implausible {
            self.unix = now;
        }
        is_implausible
    }

    /// Returns the time moved forward by `seconds`, because the bridge's clock was set forward
    /// by that much.
    pub(super) fn shifted_by(self, seconds: i64) -> Self {
        Self {
            unix: match self.reported {
                Some(0) => 0,
                _ => self.unix.saturating_add(seconds),
            },
            ..self
        }
    }

    /// Returns whether both times can belong to the same event. The provisional time of an
    /// acknowledged change may differ by a second from the time that Asterisk reports for the
    /// change, because a new second can begin between them.
    #[must_use]
    pub fn is_equivalent(self, other: Self) -> bool {
        match (self.reported, other.reported) {
            (Some(first), Some(second)) => first == second,
            _ => (self.unix - other.unix).abs() <= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reported_time_is_converted_only_once() {
        let first = PbxTime::reported(1_000_120).to_bridge_clock(None, 120);
        assert_eq!(first.unix(), 1_000_000);
        // Asterisk's clock was set, but Asterisk still reports the same number.
        let repeated = PbxTime::reported(1_000_120).to_bridge_clock(Some(first), 0);
        assert_eq!(repeated, first);
        let next = PbxTime::reported(1_000_300).to_bridge_clock(Some(first), 0);
        assert_eq!(next.unix(), 1_000_300);
        let never = PbxTime::reported(0).to_bridge_clock(Some(first), 120);
        assert_eq!(never.unix(), 0);
    }

    #[test]
    fn only_acknowledged_times_are_equivalent_within_a_second() {
        let reported = PbxTime::reported;
        assert!(PbxTime::acknowledged(100).is_equivalent(reported(99)));
        assert!(reported(101).is_equivalent(PbxTime::acknowledged(100)));
        assert!(!PbxTime::acknowledged(100).is_equivalent(reported(98)));
        assert!(!PbxTime::acknowledged(100).is_equivalent(reported(0)));
        assert!(!reported(100).is_equivalent(reported(101)));
    }

    #[test]
    fn implausible_time_of_a_recent_event_becomes_now() {
        for (unix, now, corrected) in [(100, 3_700, 3_700), (3_700, 100, 100), (98, 100, 98)] {
            let mut time = PbxTime::reported(unix);
            assert_eq!(time.correct_if_implausible(now), unix != corrected);
            assert_eq!(time.unix(), corrected);
        }
    }
}
