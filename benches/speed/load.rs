//! What came of a turn.

use std::time::Duration;

use crate::stats::{median, median_time, percentile, rate, time};

/// A turn of one side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) answered: u64,
    pub(crate) seconds: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) longest: Duration,
    pub(crate) bytes: u64,
}

impl Load {
    /// Answers that took so long each, one after another or not, in so much time.
    pub(crate) fn of(mut times: Vec<Duration>, within: Duration) -> Self {
        Self {
            answered: times.len() as u64,
            seconds: within.as_secs_f64(),
            p50: percentile(&mut times, 50),
            p99: percentile(&mut times, 99),
            longest: percentile(&mut times, 100),
            bytes: 0,
        }
    }

    pub(crate) fn rate(&self) -> f64 {
        self.answered as f64 / self.seconds
    }
}

/// The turns of one side, in the order of the rounds.
#[derive(Debug, Default)]
pub(crate) struct Turns(Vec<Load>);

impl Turns {
    pub(crate) fn push(&mut self, load: Load) {
        self.0.push(load);
    }

    /// Of the last turn, for the progress.
    pub(crate) fn last(&self, figure: impl Fn(&Load) -> f64) -> f64 {
        self.0.last().map_or(f64::NAN, figure)
    }

    pub(crate) fn p50(&self) -> Duration {
        median_time(self.0.iter().map(|load| load.p50))
    }

    /// For the table.
    pub(crate) fn rates(&self) -> String {
        if self.0.is_empty() {
            return "–".to_owned();
        }
        let rates = median(self.0.iter().map(Load::rate));
        format!("{} ({})", rate(rates), self.times())
    }

    pub(crate) fn times(&self) -> String {
        let p99 = median_time(self.0.iter().map(|load| load.p99));
        let longest = median_time(self.0.iter().map(|load| load.longest));
        format!(
            "p50 {}, p99 {}, max {}",
            time(self.p50()),
            time(p99),
            time(longest)
        )
    }

    /// The median of what each round says by itself: sides that had their turns
    /// at nearly the same time met the same machine.
    pub(crate) fn against(&self, other: &Self, figure: impl Fn(&Load) -> f64) -> f64 {
        let pairs = self.0.iter().zip(&other.0);
        median(pairs.map(|(one, two)| figure(one) / figure(two)))
    }
}
