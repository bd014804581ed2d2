//! A queue's call statistics, computed as in Asterisk.

use std::time::Duration;

/// A queue's call statistics since Asterisk started or the statistics were reset.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallStatistics {
    /// The moving average of the time that answered callers waited, in seconds.
    pub(crate) hold_time: u64,
    /// The moving average of the talk time, in seconds.
    pub(crate) talk_time: u64,
    pub(crate) completed: u32,
    pub(crate) abandoned: u32,
    /// Completed calls that were answered within the service level.
    pub(crate) completed_in_level: u32,
    /// Calls that were abandoned within the service level.
    pub(crate) abandoned_in_level: u32,
}

impl CallStatistics {
    pub(crate) fn count_answered(&mut self, hold_time: Duration) {
        self.hold_time = if self.completed + self.abandoned == 0 {
            hold_time.as_secs()
        } else {
            moving_average(self.hold_time, hold_time)
        };
    }

    pub(crate) fn count_completed(&mut self, talk_time: Duration, in_service_level: bool) {
        self.completed += 1;
        self.completed_in_level += u32::from(in_service_level);
        self.talk_time = if self.completed == 1 {
            talk_time.as_secs()
        } else {
            moving_average(self.talk_time, talk_time)
        };
    }

    pub(crate) fn count_abandoned(&mut self, in_service_level: bool) {
        self.abandoned += 1;
        self.abandoned_in_level += u32::from(in_service_level);
    }

    /// Returns `ServicelevelPerf`: the percentage of completed calls that were answered within
    /// the service level.
    pub(crate) fn service_level_performance(&self) -> String {
        percent(self.completed_in_level, self.completed)
    }

    /// Returns `ServicelevelPerf2`: the percentage of all calls that were answered or
    /// abandoned within the service level.
    pub(crate) fn service_level_performance_2(&self) -> String {
        percent(
            self.completed_in_level + self.abandoned_in_level,
            self.completed + self.abandoned,
        )
    }
}

/// Returns Asterisk's exponential moving average, in whole seconds.
fn moving_average(old: u64, new: Duration) -> u64 {
    (old * 3 + new.as_secs()) / 4
}

fn percent(count: u32, total: u32) -> String {
    let percentage = if total == 0 {
        0.0
    } else {
        100.0 * f64::from(count) / f64::from(total)
    };
    format!("{percentage:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_match_asterisk() {
        let seconds = Duration::from_secs;
        let mut statistics = CallStatistics::default();
        // Asterisk 22 computed these values for two completed calls and an abandoned call.
        statistics.count_answered(seconds(1));
        statistics.count_completed(seconds(1), true);
        statistics.count_abandoned(true);
        statistics.count_answered(seconds(5));
        statistics.count_completed(seconds(2), true);
        assert_eq!((statistics.hold_time, statistics.talk_time), (2, 1));
        statistics.count_abandoned(false);
        assert_eq!(statistics.service_level_performance(), "100.0");
        assert_eq!(statistics.service_level_performance_2(), "75.0");
    }
}
