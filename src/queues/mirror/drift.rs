//! Members that a resync has found otherwise than events had told. That there are
//! none is the proof, in production, that the mirror is right.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::info;

use super::reported::Difference;
use crate::queues::name::QueueName;

/// A difference is no drift where an event tells of it within this time: the list
/// was only faster.
const EVENT_WAIT: Duration = Duration::from_secs(2);

/// A change that Asterisk announces is missing its event after this time.
const ANNOUNCEMENT_WAIT: Duration = Duration::from_secs(1);

/// The differences that no event has told of yet.
#[derive(Debug, Default)]
pub(super) struct PossibleDrift(Vec<Suspect>);

#[derive(Debug)]
struct Suspect {
    queue: QueueName,
    interface: Arc<str>,
    since: Instant,
    /// Whether Asterisk announces such a change.
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

    /// An event tells of that member.
    pub(super) fn reported(&mut self, queue: &str, interface: &str) {
        self.0.retain(|suspect| {
            *suspect.queue != *queue || !suspect.interface.eq_ignore_ascii_case(interface)
        });
    }

    /// Since when each difference is known that Asterisk announces, and has not
    /// announced in time.
    pub(super) fn unannounced(&self, now: Instant) -> Vec<Instant> {
        let late =
            |suspect: &&Suspect| suspect.is_announced && now >= suspect.since + ANNOUNCEMENT_WAIT;
        let late = self.0.iter().filter(late);
        late.map(|suspect| suspect.since).collect()
    }

    /// Takes away those of which no event has told in time; returns how many.
    pub(super) fn drifted(&mut self, now: Instant) -> u64 {
        let mut drifted = 0;
        self.0.retain(|suspect| {
            let waits = now < suspect.since + EVENT_WAIT;
            if !waits {
                drifted += 1;
                info!(
                    queue = suspect.queue.as_str(),
                    interface = &*suspect.interface,
                    "a resync found a member otherwise than events had reported"
                );
            }
            waits
        });
        drifted
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
