//! Members that a resync lists differently from what events had reported. If there are
//! none, the mirror is correct in production.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::info;

use super::reported::Difference;
use crate::queues::name::QueueName;

/// A difference counts as drift if no event reports it within this time. Otherwise the list
/// was only faster than the event.
const DRIFT_DELAY: Duration = Duration::from_secs(2);

/// After this time, the event of a change that Asterisk announces counts as missing.
const ANNOUNCEMENT_TIMEOUT: Duration = Duration::from_secs(1);

/// The differences that no event has reported yet.
#[derive(Debug, Default)]
pub(super) struct PossibleDrift(Vec<Suspect>);

#[derive(Debug)]
struct Suspect {
    queue: QueueName,
    interface: Arc<str>,
    since: Instant,
    /// Whether Asterisk sends an event for such a change.
    is_announced: bool,
}

impl PossibleDrift {
    pub(super) fn add(&mut self, queue: &QueueName, differences: Vec<Difference>, since: Instant) {
        self.0.extend(differences.into_iter().map(|found| Suspect {
            queue: queue.clone(),
            interface: found.interface,
            since,
            is_announced: found.is_announced,
        }));
    }

    /// An event has reported the member, so the list was only faster.
    pub(super) fn member_reported(&mut self, queue: &str, interface: &str) {
        self.0.retain(|suspect| {
            *suspect.queue != *queue || !suspect.interface.eq_ignore_ascii_case(interface)
        });
    }

    /// When each difference was found whose event is missing.
    pub(super) fn unannounced(&self, now: Instant) -> Vec<Instant> {
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
                    "a resync lists a member differently from what events had reported"
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
