//! Members that a resync has found otherwise than events had told. That there are
//! none is the proof, in production, that the mirror is right.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::info;

/// A difference is no drift where an event tells of it within this time: the list
/// was only faster.
const EVENT_WAIT: Duration = Duration::from_secs(2);

/// The differences that no event has told of yet.
#[derive(Debug, Default)]
pub(super) struct Suspects(Vec<Suspect>);

#[derive(Debug)]
struct Suspect {
    queue: Arc<str>,
    interface: Arc<str>,
    since: Instant,
}

impl Suspects {
    pub(super) fn add(&mut self, queue: &Arc<str>, interfaces: Vec<Arc<str>>, since: Instant) {
        self.0
            .extend(interfaces.into_iter().map(|interface| Suspect {
                queue: Arc::clone(queue),
                interface,
                since,
            }));
    }

    /// An event tells of that member.
    pub(super) fn told(&mut self, queue: &str, interface: &str) {
        self.0.retain(|suspect| {
            *suspect.queue != *queue || !suspect.interface.eq_ignore_ascii_case(interface)
        });
    }

    /// Takes away those of which no event has told in time; returns how many.
    pub(super) fn drifted(&mut self, now: Instant) -> u64 {
        let mut drifted = 0;
        self.0.retain(|suspect| {
            let waits = now < suspect.since + EVENT_WAIT;
            if !waits {
                drifted += 1;
                info!(
                    queue = &*suspect.queue,
                    interface = &*suspect.interface,
                    "a resync found a member otherwise than events had told"
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
