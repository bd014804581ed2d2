//! Times of Asterisk's clock, on the bridge's.

/// A time that Asterisk reports in whole seconds of its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PbxTime {
    /// As Asterisk reports it; 0 is never. `None` for an acknowledged change, whose
    /// time Asterisk has not reported yet.
    reported: Option<i64>,
    /// On the bridge's clock.
    unix: i64,
}

impl PbxTime {
    /// As Asterisk reports it, by its own clock.
    #[must_use]
    pub fn reported(seconds: i64) -> Self {
        Self {
            reported: Some(seconds),
            unix: seconds,
        }
    }

    /// When a change was acknowledged, by the bridge's clock.
    #[must_use]
    pub fn acknowledged(unix: i64) -> Self {
        Self {
            reported: None,
            unix,
        }
    }

    /// In Unix seconds of the bridge's clock; 0 is never.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.unix
    }

    /// The same time on the bridge's clock, which is `offset` seconds behind
    /// Asterisk's. What was reported before keeps its conversion: Asterisk's clock may
    /// have been set since.
    pub(super) fn converted(self, before: Option<Self>, offset: i64) -> Self {
        match self.reported {
            None | Some(0) => self,
            reported => match before {
                Some(before) if before.reported == reported => before,
                _ => Self {
                    unix: self.unix.saturating_sub(offset),
                    ..self
                },
            },
        }
    }

    /// Replaces the conversion where the time has just come to pass and the conversion
    /// says otherwise: then Asterisk's clock was set a moment ago. Returns whether it
    /// did.
    pub(super) fn correct_if_implausible(&mut self, now: i64) -> bool {
        let plausible = now - MOST_DELAYED..=now + 2;
        let corrects = self.reported != Some(0) && !plausible.contains(&self.unix);
        if corrects {
            self.unix = now;
        }
        corrects
    }

    /// The same time after the bridge's clock was set forward by that many seconds.
    pub(super) fn shifted(self, seconds: i64) -> Self {
        Self {
            unix: match self.reported {
                Some(0) => 0,
                _ => self.unix.saturating_add(seconds),
            },
            ..self
        }
    }

    /// Whether both are the same to a reader. Between the acknowledgement of a change
    /// and Asterisk's report of it, a second may have begun.
    #[must_use]
    pub fn is_same(self, other: Self) -> bool {
        match (self.reported, other.reported) {
            (Some(one), Some(other)) => one == other,
            _ => (self.unix - other.unix).abs() <= 1,
        }
    }
}

/// The most seconds by which an event may be late on a busy PBX.
const MOST_DELAYED: i64 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_converted_once() {
        let first = PbxTime::reported(1_000_120).converted(None, 120);
        assert_eq!(first.unix(), 1_000_000);
        // Asterisk's clock was set, and reports the same time of before.
        let again = PbxTime::reported(1_000_120).converted(Some(first), 0);
        assert_eq!(again, first);
        let next = PbxTime::reported(1_000_300).converted(Some(first), 0);
        assert_eq!(next.unix(), 1_000_300);
        let never = PbxTime::reported(0).converted(Some(first), 120);
        assert_eq!(never.unix(), 0);
    }

    #[test]
    fn only_an_acknowledged_time_may_be_a_second_off() {
        let reported = PbxTime::reported;
        assert!(PbxTime::acknowledged(100).is_same(reported(99)));
        assert!(reported(101).is_same(PbxTime::acknowledged(100)));
        assert!(!PbxTime::acknowledged(100).is_same(reported(98)));
        assert!(!PbxTime::acknowledged(100).is_same(reported(0)));
        assert!(!reported(100).is_same(reported(101)));
    }

    #[test]
    fn what_has_just_come_to_pass_is_not_an_hour_away() {
        for (unix, now, corrected) in [(100, 3_700, 3_700), (3_700, 100, 100), (98, 100, 98)] {
            let mut time = PbxTime::reported(unix);
            assert_eq!(time.correct_if_implausible(now), unix != corrected);
            assert_eq!(time.unix(), corrected);
        }
    }
}
