//! Compares Asterisk's state with the state that the bridge shows.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// A field-by-field comparison. Waiting times may differ by two seconds, because they grow
/// between the two reads.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Whether the bridge's state comes from an event stream. If so, `paused_at` may differ by a
    /// second: for pauses through the bridge, events contain the time of the acknowledgment, and
    /// reads contain Asterisk's time.
    pub(crate) of_stream: bool,
    /// The number of compared fields.
    pub(crate) fields: usize,
    pub(crate) differences: Vec<String>,
}

impl Comparison {
    pub(crate) fn compare(&mut self, path: &str, truth: &Value, shown: &Value) {
        match (truth, shown) {
            (Value::Object(truth), Value::Object(shown)) => {
                self.compare_objects(path, truth, shown)
            }
            (Value::Array(truth), Value::Array(shown)) if truth.len() == shown.len() => {
                for (number, (truth, shown)) in truth.iter().zip(shown).enumerate() {
                    self.compare(&format!("{path}[{number}]"), truth, shown);
                }
            }
            _ => {
                self.fields += 1;
                let is_wait = path.ends_with("wait_seconds");
                let is_close = |(a, b): (i64, i64)| (a - b).abs() <= 2;
                let numbers = truth.as_i64().zip(shown.as_i64());
                let is_close_wait = is_wait && numbers.is_some_and(is_close);
                let is_streamed_pause = self.of_stream && path.ends_with("paused_at");
                if truth != shown
                    && !is_close_wait
                    && !(is_streamed_pause && is_within_a_second(truth, shown))
                {
                    let difference = format!("{path}: Asterisk {truth}, bridge {shown}");
                    self.differences.push(difference);
                }
            }
        }
    }

    fn compare_objects(
        &mut self,
        path: &str,
        truth: &Map<String, Value>,
        shown: &Map<String, Value>,
    ) {
        let only_shown = shown.keys().filter(|name| !truth.contains_key(*name));
        for name in truth.keys().chain(only_shown) {
            // Asterisk does not report when a state began.
            if name == "state_since" {
                continue;
            }
            let get = |object: &Map<String, Value>| object.get(name).cloned().unwrap_or_default();
            self.compare(&format!("{path}.{name}"), &get(truth), &get(shown));
        }
    }
}

fn is_within_a_second(a: &Value, b: &Value) -> bool {
    let time = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
    let times = time(a).zip(time(b));
    times.is_some_and(|(a, b)| (a.as_second() - b.as_second()).abs() <= 1)
}
