//! The value of `wrapup`: a duration for all queues, or a table.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::field::duration;

/// The wrap-up times of an organization's queues.
#[derive(Debug)]
pub(super) enum Wrapup {
    /// The wrap-up time of all queues.
    AllQueues(String),
    /// The wrap-up times by queue pattern.
    PerQueue(BTreeMap<String, String>),
}

/// Deserializes a duration for all queues, or a table of durations by queue pattern.
pub(super) fn wrapup<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Wrapup, D::Error> {
    struct Times;

    impl<'de> Visitor<'de> for Times {
        type Value = Wrapup;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(
                "a quoted duration with a unit, such as \"15s\", or a table of queue patterns \
                 and durations",
            )
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Wrapup, E> {
            Ok(Wrapup::AllQueues(text.to_owned()))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wrapup, A::Error> {
            let mut times = BTreeMap::new();
            while let Some((pattern, DurationText(time))) = map.next_entry()? {
                times.insert(pattern, time);
            }
            Ok(Wrapup::PerQueue(times))
        }
    }

    #[derive(Deserialize)]
    struct DurationText(#[serde(deserialize_with = "duration")] String);

    deserializer.deserialize_any(Times)
}
