//! Finds the changes that Asterisk itself has dated differently in `queue_log` and in its events.

use std::sync::{Arc, Mutex};

use super::judge::{ChangeKind, ChangeSeconds, change_seconds};
use crate::support::Asterisk;

/// Watches Asterisk's events about members. Asterisk reads the clock several times for one change.
/// On a busy machine, another second sometimes begins in between. Nobody can know then which second
/// is in `queue_log`.
pub(super) struct LateEvents(Arc<Mutex<ChangeSeconds>>);

impl LateEvents {
    pub(super) fn watch(asterisk: &Asterisk) -> Self {
        let seconds: Arc<Mutex<ChangeSeconds>> = Arc::default();
        let found = Arc::clone(&seconds);
        let mut ami = asterisk.ami_with_events("agent");
        std::thread::spawn(move || {
            while let Some(event) = ami.next_event_until_closed() {
                // A pause or a login begins at the time that Asterisk stores, and ends when Asterisk
                // sends the event.
                let (kind, time) = match event["Event"].as_str() {
                    "QueueMemberPause" if event["Paused"] == "1" => {
                        (ChangeKind::Pause, "LastPause")
                    }
                    "QueueMemberPause" => (ChangeKind::Pause, "Timestamp"),
                    "QueueMemberAdded" => (ChangeKind::Login, "LoginTime"),
                    "QueueMemberRemoved" => (ChangeKind::Login, "Timestamp"),
                    _ => continue,
                };
                let queue = event["Queue"].trim_start_matches("acme-").to_owned();
                let key = (kind, queue, event["MemberName"].clone());
                let second = event[time].split('.').next().unwrap_or_default();
                let second = second.parse().expect("a time");
                let mut found = found.lock().expect("an unpoisoned lock");
                found.entry(key).or_default().push(second);
            }
        });
        Self(seconds)
    }

    /// Returns by how many seconds a field of the report about some members may differ from
    /// `queue_log`. `is_own` gets a queue and an agent.
    pub(super) fn seconds(
        &self,
        log: &str,
        field: &str,
        is_own: impl Fn(&str, &str) -> bool,
    ) -> i64 {
        let own_kind = match field {
            "pauses" | "paused_seconds" => ChangeKind::Pause,
            "logged_in_seconds" => ChangeKind::Login,
            _ => return 0,
        };
        let found = self.0.lock().expect("an unpoisoned lock");
        let mut late = 0;
        for (key, logged) in change_seconds(log) {
            let (kind, queue, agent) = &key;
            if *kind == own_kind && is_own(queue, agent) {
                let events = &found[&key];
                assert_eq!(events.len(), logged.len(), "{key:?}");
                let pairs = events.iter().zip(&logged);
                let differences = pairs.map(|(event, logged)| (event - logged).abs());
                late += differences.sum::<i64>();
            }
        }
        late
    }
}
