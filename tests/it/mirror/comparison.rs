//! Compares the state that Asterisk reports with the state that the bridge shows.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Compares field by field. Waiting times may differ by two seconds, since they grow between
/// the two reads.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Whether `paused_at` may differ by a second. For a pause made through the bridge, an
    /// event stream has the time of the acknowledgment, and a read has Asterisk's time.
    pub(crate) of_stream: bool,
    pub(crate) fields: usize,
    pub(crate) differences: Vec<String>,
}

impl Comparison {
    pub(crate) fn compare(&mut self, path: &str, truth: &Value, shown: &Value) {
        match (truth, shown) {
            (Value::Object(truth), Value::Object(shown)) => self.objects(path, truth, shown),
            (Value::Array(truth), Value::Array(shown)) if truth.len() == shown.len() => {
                for (number, (truth, shown)) in truth.iter().zip(shown).enumerate() {
                    self.compare(&format!("{path}[{number}]"), truth, shown);
                }
            }
            _ => {
                self.fields += 1;
                let is_wait = path.ends_with("wait_seconds");
                let close = |(a, b): (i64, i64)| (a - b).abs() <= 2;
                let both = truth.as_i64().zip(shown.as_i64());
                let is_close_wait = is_wait && both.is_some_and(close);
                let is_pause = self.of_stream && path.ends_with("paused_at");
                if truth != shown && !is_close_wait && !(is_pause && within_a_second(truth, shown))
                {
                    let text = format!("{path}: Asterisk {truth}, bridge {shown}");
                    self.differences.push(text);
                }
            }
        }
    }

    fn objects(&mut self, path: &str, truth: &Map<String, Value>, shown: &Map<String, Value>) {
        for name in truth
            .keys()
            .chain(shown.keys().filter(|n| !truth.contains_key(*n)))
        {
            let get = |object: &Map<String, Value>| object.get(name).cloned().unwrap_or_default();
            self.compare(&format!("{path}.{name}"), &get(truth), &get(shown));
        }
    }
}

fn within_a_second(one: &Value, other: &Value) -> bool {
    let time = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
    let both = time(one).zip(time(other));
    both.is_some_and(|(one, other)| (one.as_second() - other.as_second()).abs() <= 1)
}
