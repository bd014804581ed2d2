//! What differs between what Asterisk says and what the bridge shows.

use serde_json::{Map, Value};

/// Compares field by field. Waits run on between two looks; nothing else does.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) fields: usize,
    pub(super) differences: Vec<String>,
}

impl Comparison {
    pub(super) fn compare(&mut self, place: &str, truth: &Value, shown: &Value) {
        match (truth, shown) {
            (Value::Object(truth), Value::Object(shown)) => self.objects(place, truth, shown),
            (Value::Array(truth), Value::Array(shown)) if truth.len() == shown.len() => {
                for (number, (truth, shown)) in truth.iter().zip(shown).enumerate() {
                    self.compare(&format!("{place}[{number}]"), truth, shown);
                }
            }
            _ => {
                self.fields += 1;
                let runs_on = place.ends_with("wait_seconds");
                let close = |(a, b): (i64, i64)| (a - b).abs() <= 2;
                let both = truth.as_i64().zip(shown.as_i64());
                if truth != shown && !(runs_on && both.is_some_and(close)) {
                    let text = format!("{place}: Asterisk {truth}, bridge {shown}");
                    self.differences.push(text);
                }
            }
        }
    }

    fn objects(&mut self, place: &str, truth: &Map<String, Value>, shown: &Map<String, Value>) {
        for name in truth
            .keys()
            .chain(shown.keys().filter(|n| !truth.contains_key(*n)))
        {
            let get = |object: &Map<String, Value>| object.get(name).cloned().unwrap_or_default();
            self.compare(&format!("{place}.{name}"), &get(truth), &get(shown));
        }
    }
}
