//! Results of turns: response counts and times.

use std::time::Duration;

use crate::stats::{median, median_time, percentile, rate, time};

/// The result of one turn of one side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TurnResult {
    /// The number of responses or replies.
    pub(crate) responses: u64,
    pub(crate) seconds: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) longest: Duration,
    pub(crate) bytes: u64,
}

impl TurnResult {
    /// Summarizes a turn that took `elapsed`. `times` contains the time of each response.
    pub(crate) fn new(mut times: Vec<Duration>, elapsed: Duration) -> Self {
        Self {
            responses: times.len() as u64,
            seconds: elapsed.as_secs_f64(),
            p50: percentile(&mut times, 50),
            p99: percentile(&mut times, 99),
            longest: percentile(&mut times, 100),
            bytes: 0,
        }
    }

    /// Returns the number of responses per second.
    pub(crate) fn rate(&self) -> f64 {
        self.responses as f64 / self.seconds
    }
}

/// The results of one side, one per round.
#[derive(Debug, Default)]
pub(crate) struct SideResults(Vec<TurnResult>);

impl SideResults {
    pub(crate) fn push(&mut self, result: TurnResult) {
        self.0.push(result);
    }

    /// Returns a value of the last turn, for progress messages.
    pub(crate) fn last(&self, value: impl Fn(&TurnResult) -> f64) -> f64 {
        self.0.last().map_or(f64::NAN, value)
    }

    pub(crate) fn p50(&self) -> Duration {
        median_time(self.0.iter().map(|turn| turn.p50))
    }

    /// Returns the median rate and the response times, for the table.
    pub(crate) fn rates(&self) -> String {
        if self.0.is_empty() {
            return "–".to_owned();
        }
        let rates = median(self.0.iter().map(TurnResult::rate));
        format!("{} ({})", rate(rates), self.times())
    }

    pub(crate) fn times(&self) -> String {
        let p99 = median_time(self.0.iter().map(|turn| turn.p99));
        let longest = median_time(self.0.iter().map(|turn| turn.longest));
        format!(
            "p50 {}, p99 {}, max {}",
            time(self.p50()),
            time(p99),
            time(longest)
        )
    }

    /// Returns the median of a value.
    pub(crate) fn median(&self, value: impl Fn(&TurnResult) -> f64) -> f64 {
        median(self.0.iter().map(value))
    }

    /// Returns the median of the rounds' ratios. The turns of a round ran at nearly the same time,
    /// so the machine's load was the same for both.
    pub(crate) fn ratio_to(&self, other: &Self, value: impl Fn(&TurnResult) -> f64) -> f64 {
        let pairs = self.0.iter().zip(&other.0);
        median(pairs.map(|(one, two)| value(one) / value(two)))
    }
}
