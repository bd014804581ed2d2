//! Finds the events that Asterisk itself has dated later than the rows in its `queue_log`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::judge::pause_seconds;
use crate::support::Asterisk;

/// The seconds of each member's events about pauses, by queue and agent.
type Seconds = BTreeMap<(String, String), Vec<i64>>;

/// Watches Asterisk's events about pauses. On a busy machine, Asterisk sometimes sends an event so
/// late that another second has begun. Nobody can know the earlier second then.
pub(super) struct LateEvents(Arc<Mutex<Seconds>>);

impl LateEvents {
    pub(super) fn watch(asterisk: &Asterisk) -> Self {
        let seconds: Arc<Mutex<Seconds>> = Arc::default();
        let found = Arc::clone(&seconds);
        let mut ami = asterisk.ami_with_events("agent");
        std::thread::spawn(move || {
            while let Some(event) = ami.next_event_until_closed() {
                if event["Event"] != "QueueMemberPause" {
                    continue;
                }
                let queue = event["Queue"].trim_start_matches("acme-").to_owned();
                let key = (queue, event["MemberName"].clone());
                let second = event["Timestamp"].split('.').next().unwrap_or_default();
                let second = second.parse().expect("a time");
                let mut found = found.lock().expect("an unpoisoned lock");
                found.entry(key).or_default().push(second);
            }
        });
        Self(seconds)
    }

    /// Returns by how many seconds the report about some members may differ from `queue_log`.
    pub(super) fn seconds(&self, log: &str, is_own: impl Fn(&str, &str) -> bool) -> i64 {
        let found = self.0.lock().expect("an unpoisoned lock");
        let mut late = 0;
        for (key, logged) in pause_seconds(log) {
            if let Some(events) = found.get(&key).filter(|_| is_own(&key.0, &key.1)) {
                assert_eq!(events.len(), logged.len(), "{key:?}");
                let pairs = events.iter().zip(&logged);
                late += pairs
                    .map(|(event, logged)| (event - logged).abs())
                    .sum::<i64>();
            }
        }
        late
    }
}
