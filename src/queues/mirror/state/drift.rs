//! Drift: members whose state in a resync differs from the state that events had reported.
//!
//! In production, the absence of drift shows that the mirror is correct.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::info;

use super::reported::Difference;
use crate::queues::name::QueueName;

/// A difference counts as drift if no event reports it within this time. If an event does report
/// it, the list merely arrived before the event.
const DRIFT_DELAY: Duration = Duration::from_secs(2);

/// If Asterisk always announces a change with an event, the event counts as missing after this
/// time.
const ANNOUNCEMENT_TIMEOUT: Duration = Duration::from_secs(1);

/// The differences that no event has reported yet.
#[derive(Debug, Default)]
pub(super) struct PossibleDrift(Vec<Suspect>);

#[derive(Debug)]
struct Suspect {
    queue: QueueName,
    interface: Arc<str>,
    since: Instant,
    /// Whether Asterisk announces every change of this kind with an event.
    is_announced: bool,
}

impl PossibleDrift {
    pub(super) fn add(&mut self, queue: &QueueName, differences: Vec<Difference>, since: Instant) {
        self.0
            .extend(differences.into_iter().map(|difference| Suspect {
                queue: queue.clone(),
                interface: difference.interface,
                since,
                is_announced: difference.is_announced,
            }));
    }

    /// Removes a member's difference, because an event has reported the member. The list merely
    /// arrived before the event.
    pub(super) fn member_reported(&mut self, queue: &str, interface: &str) {
        self.0.retain(|suspect| {
            *suspect.queue != *queue || !suspect.interface.eq_ignore_ascii_case(interface)
        });
    }

    /// Returns the times at which the differences with missing events were found.
    pub(super) fn missing_events(&self, now: Instant) -> Vec<Instant> {
        let is_late = |suspect: &&Suspect| {
            suspect.is_announced && now >= suspect.since + ANNOUNCEMENT_TIMEOUT
        };
        let late = self.0.iter().filter(is_late);
        late.map(|suspect| suspect.since).collect()
    }

    /// Removes and logs the differences that no event has reported in time. Returns their
    /// number.
    pub(super) fn expire(&mut self, now: Instant) -> u64 {
        let mut drifted = 0;
        self.0.retain(|suspect| {
            let is_waiting = now < suspect.since + DRIFT_DELAY;
            if !is_waiting {
                drifted += 1;
                info!(
                    queue = suspect.queue.as_str(),
                    interface = &*suspect.interface,
                    "a resync differs from the member state that events reported"
                );
            }
            is_waiting
        });
        drifted
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
