//! The local days of a report. Their lengths differ where daylight saving begins or ends.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::storage::DAY_SECONDS;

/// Consecutive local days, and the Unix seconds at which they begin.
#[derive(Debug, Clone)]
pub struct Days {
    first: Date,
    /// The beginning of each day, and the end of the last one.
    starts: Vec<i64>,
}

impl Days {
    /// Returns the days from `from` to `to`, both included. Returns `None` if `to` is before
    /// `from`, or if a day is beyond the calendar.
    #[must_use]
    pub fn new(from: Date, to: Date, zone: &TimeZone) -> Option<Self> {
        let mut starts = Vec::new();
        let mut date = from;
        while date <= to {
            starts.push(start_of(date, zone)?);
            date = date.checked_add(1.day()).ok()?;
        }
        if starts.is_empty() {
            return None;
        }
        starts.push(start_of(date, zone)?);
        Some(Self {
            first: from,
            starts,
        })
    }

    /// Returns when the first day begins, in Unix seconds.
    #[must_use]
    pub fn start(&self) -> i64 {
        self.starts[0]
    }

    /// Returns when the last day ends, in Unix seconds.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.starts[self.starts.len() - 1]
    }

    /// Returns the index of the day that contains a time, in Unix seconds.
    #[must_use]
    pub fn index_of(&self, time: i64) -> Option<usize> {
        if !(self.start()..self.end()).contains(&time) {
            return None;
        }
        // Most days have 24 hours, so this is a good guess.
        let guess = (time - self.start()) / DAY_SECONDS;
        let last = self.starts.len() - 2;
        let mut index = usize::try_from(guess).map_or(last, |guess| guess.min(last));
        while self.starts[index] > time {
            index -= 1;
        }
        while self.starts[index + 1] <= time {
            index += 1;
        }
        Some(index)
    }

    /// Returns the date of the day with this index.
    #[must_use]
    pub fn date(&self, index: usize) -> Date {
        let days = i64::try_from(index).unwrap_or(i64::MAX).days();
        self.first.saturating_add(days)
    }

    /// Returns the UTC days whose rows a report about these days needs. One more day before them
    /// has the calls whose wrap-up time reaches into them, and one more day after them shows how
    /// long their last pauses were.
    #[must_use]
    pub fn utc_days(&self) -> std::ops::RangeInclusive<i64> {
        let first = self.start().div_euclid(DAY_SECONDS);
        let last = (self.end() - 1).div_euclid(DAY_SECONDS);
        first - 1..=last + 1
    }

    /// Calls `add` with the index of each day that a time span touches, and with the seconds of
    /// the span within that day.
    pub fn split(&self, began: i64, ended: i64, mut add: impl FnMut(usize, i64)) {
        let mut began = began.max(self.start());
        let ended = ended.min(self.end());
        while began < ended
            && let Some(index) = self.index_of(began)
        {
            let end = ended.min(self.starts[index + 1]);
            add(index, end - began);
            began = end;
        }
    }
}

/// Returns the first second of a day. Where daylight saving skips midnight, this is the second
/// after the skipped time.
fn start_of(date: Date, zone: &TimeZone) -> Option<i64> {
    let start = date.to_zoned(zone.clone()).ok()?;
    Some(start.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::time_zone::NamedZone;

    fn days(zone: &str, from: Date, to: Date) -> Days {
        let zone = NamedZone::find(zone).expect("a zone");
        Days::new(from, to, &zone.zone).expect("days")
    }

    fn hours(zone: &str, day: Date) -> i64 {
        let days = days(zone, day, day);
        (days.end() - days.start()) / 3600
    }

    #[test]
    fn days_have_23_or_25_hours_where_daylight_saving_changes() {
        assert_eq!(hours("Asia/Jerusalem", date(2026, 3, 27)), 23);
        assert_eq!(hours("Asia/Jerusalem", date(2026, 10, 25)), 25);
        assert_eq!(hours("Europe/Berlin", date(2026, 3, 29)), 23);
        assert_eq!(hours("America/New_York", date(2026, 11, 1)), 25);
        // Midnight is skipped, or happens twice.
        assert_eq!(hours("Asia/Beirut", date(2026, 3, 29)), 23);
        assert_eq!(hours("Africa/Cairo", date(2026, 10, 29)), 25);
        assert_eq!(hours("Asia/Jerusalem", date(2026, 11, 29)), 24);
        assert_eq!(hours("UTC", date(2026, 3, 29)), 24);
    }

    #[test]
    fn days_outside_of_the_range_have_no_index() {
        let days = days("Asia/Jerusalem", date(2026, 3, 26), date(2026, 3, 28));
        assert_eq!(days.index_of(days.start() - 1), None);
        assert_eq!(days.index_of(days.start()), Some(0));
        assert_eq!(days.index_of(days.end() - 1), Some(2));
        assert_eq!(days.index_of(days.end()), None);
        assert_eq!(days.date(2), date(2026, 3, 28));
        // From 22:00 on March 25 to 21:00 on March 28 in UTC, and a day on each side.
        assert_eq!(days.utc_days().count(), 4 + 2);
        let zone = TimeZone::UTC;
        assert!(Days::new(date(2026, 3, 2), date(2026, 3, 1), &zone).is_none());
    }

    #[test]
    fn index_is_exact_in_a_year_with_long_short_and_skipped_days() {
        // Samoa skipped December 30, 2011.
        for zone in ["Pacific/Apia", "Africa/Casablanca", "Europe/Berlin"] {
            let days = days(zone, date(2011, 1, 1), date(2012, 12, 31));
            for index in 0..731 {
                let [start, end] = [days.starts[index], days.starts[index + 1]];
                for time in [start, start + 1, end - 1] {
                    if start < end {
                        assert_eq!(days.index_of(time), Some(index), "{zone} {time}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn split_loses_and_adds_no_second(began in 0..400_000_i64, seconds in 0..400_000_i64) {
            let days = days("Europe/Berlin", date(2026, 10, 24), date(2026, 10, 27));
            let began = days.start() - 50_000 + began;
            let ended = began + seconds;
            let mut sum = 0;
            let mut last = None;
            days.split(began, ended, |index, part| {
                assert!(part > 0 && last < Some(index));
                last = Some(index);
                sum += part;
            });
            let expected = ended.min(days.end()) - began.max(days.start());
            prop_assert_eq!(sum, expected.max(0));
        }
    }
}
