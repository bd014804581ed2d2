//! Records the events of Asterisk with the time of their arrival. `queue_log` has whole seconds
//! only.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::interface;
use crate::support::{AmiMessage, Asterisk};

/// An AMI session that records queue events until Asterisk closes it.
pub(super) struct EventWatch {
    events: Arc<Mutex<Vec<(Timestamp, AmiMessage)>>>,
}

impl EventWatch {
    pub(super) fn start(asterisk: &Asterisk) -> Self {
        let events: Arc<Mutex<Vec<_>>> = Arc::default();
        let shared = Arc::clone(&events);
        let mut ami = asterisk.ami_with_events("agent");
        std::thread::spawn(move || {
            while let Some(event) = ami.next_event_until_closed() {
                let event = (Timestamp::now(), event);
                shared.lock().expect("an unpoisoned lock").push(event);
            }
        });
        Self { events }
    }

    /// Returns when an agent was unpaused in a queue with this reason, oldest first.
    pub(super) fn unpauses(&self, queue: &str, agent: u16, reason: &str) -> Vec<Timestamp> {
        self.times("QueueMemberPause", queue, agent, |event| {
            // Asterisk 16 reports the reason of an unpause in `Reason`, Asterisk 22 in
            // `PausedReason`.
            let reasons = ["Reason", "PausedReason"].map(|name| event.get(name));
            event["Paused"] == "0" && reasons.into_iter().flatten().any(|text| text == reason)
        })
    }

    /// Returns when Asterisk has begun to ring an agent for a caller in a queue, oldest first.
    pub(super) fn rings(&self, queue: &str, agent: u16) -> Vec<Timestamp> {
        self.times("AgentCalled", queue, agent, |_| true)
    }

    fn times(
        &self,
        name: &str,
        queue: &str,
        agent: u16,
        matches: impl Fn(&AmiMessage) -> bool,
    ) -> Vec<Timestamp> {
        let interface = interface(agent);
        let events = self.events.lock().expect("an unpoisoned lock");
        let found = events.iter().filter(|(_, event)| {
            event["Event"] == name
                && event.get("Queue").is_some_and(|found| found == queue)
                && event
                    .get("Interface")
                    .is_some_and(|found| *found == interface)
                && matches(event)
        });
        found.map(|(at, _)| *at).collect()
    }
}
