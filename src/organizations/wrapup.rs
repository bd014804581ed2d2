//! The configured wrap-up times of an organization's queues.

use super::pattern::Pattern;

/// The wrap-up times of an organization's queues, in seconds. The configuration repeats them,
/// because Asterisk does not report a queue's `wrapuptime`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrapupTimes(Vec<(Pattern, u64)>);

impl WrapupTimes {
    /// Creates the wrap-up times from queue patterns and seconds. An exact number has
    /// precedence over a pattern, and a longer pattern over a shorter one.
    #[must_use]
    pub fn new(times: impl IntoIterator<Item = (Pattern, u64)>) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_by_key(|(pattern, _)| match pattern {
            Pattern::Exact(_) | Pattern::Range { .. } => (0, 0),
            Pattern::Glob { prefix, suffix } => (1, usize::MAX - prefix.len() - suffix.len()),
        });
        Self(times)
    }

    /// Returns whether no wrap-up time is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the wrap-up time of the queue with this number, in seconds; 0 if none is
    /// configured.
    #[must_use]
    pub fn seconds(&self, number: &str) -> u64 {
        let mut times = self.0.iter();
        let found = times.find(|(pattern, _)| pattern.matches(number));
        found.map_or(0, |(_, seconds)| *seconds)
    }

    /// Returns the longest wrap-up time, in seconds.
    #[must_use]
    pub fn longest(&self) -> u64 {
        let seconds = self.0.iter().map(|(_, seconds)| *seconds);
        seconds.max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_number_and_longer_pattern_have_precedence() {
        let times = [("*", 10), ("6*", 20), ("60*", 30), ("6001", 40)];
        let times = times.map(|(text, seconds)| {
            let pattern = Pattern::parse_queue(text).expect(text);
            (pattern, seconds)
        });
        let wrapup = WrapupTimes::new(times);
        for (number, seconds) in [("6001", 40), ("6002", 30), ("6100", 20), ("sales", 10)] {
            assert_eq!(wrapup.seconds(number), seconds, "{number}");
        }
        assert_eq!(WrapupTimes::default().seconds("6001"), 0);
    }
}
