//! Whether Asterisk's events about members arrive.
//!
//! They don't if the AMI user lacks `read=agent`, or if an `eventfilter` or `disabledevents`
//! drops them. Then nothing looks wrong, but reads lag. A change whose event never arrives
//! is the evidence.

use tokio::time::Instant;
use tracing::{info, warn};

/// Whether events about members arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventDelivery {
    /// Nothing has changed yet that an event would report.
    Unknown,
    /// Events arrive.
    Seen,
    /// A change was made or found, and no event reported it.
    Missing,
}

impl EventDelivery {
    /// The text in `/readyz`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Seen => "seen",
            Self::Missing => "missing",
        }
    }
}

/// The evidence since the link was made.
#[derive(Debug, Default)]
pub(super) struct DeliveryEvidence {
    /// When the last event arrived that reports an addition, a removal or a pause.
    last: Option<Instant>,
    missing: bool,
}

impl DeliveryEvidence {
    /// An event has reported an addition, a removal or a pause.
    pub(super) fn event_received(&mut self, now: Instant) {
        if self.missing {
            info!("events about members arrive again");
        }
        *self = Self {
            last: Some(now),
            missing: false,
        };
    }

    /// The event of a change that was made or found at `since` is overdue. On a busy PBX
    /// an event can be late. In that case other events have arrived meanwhile.
    pub(super) fn unannounced(&mut self, since: Instant) {
        let others_arrived = self.last.is_some_and(|last| last >= since);
        if others_arrived || self.missing {
            return;
        }
        self.missing = true;
        warn!(
            "no event announced a change of a member. In manager.conf, the section of the AMI \
             user needs `read = agent,system`, and no eventfilter or disabledevents may drop \
             QueueMember events; then `manager reload` and restart the bridge. Until then, \
             changes made elsewhere show up late"
        );
    }

    pub(super) fn delivery(&self) -> EventDelivery {
        match self {
            Self { missing: true, .. } => EventDelivery::Missing,
            Self { last: Some(_), .. } => EventDelivery::Seen,
            Self { last: None, .. } => EventDelivery::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn overdue_event_is_missing_unless_other_events_arrive() {
        let start = Instant::now();
        let later = start + Duration::from_secs(2);
        let mut event_delivery = DeliveryEvidence::default();
        assert_eq!(event_delivery.delivery(), EventDelivery::Unknown);
        event_delivery.event_received(later);
        event_delivery.unannounced(start);
        assert_eq!(event_delivery.delivery(), EventDelivery::Seen);
        event_delivery.unannounced(later + Duration::from_secs(1));
        assert_eq!(event_delivery.delivery(), EventDelivery::Missing);
        event_delivery.event_received(later + Duration::from_secs(9));
        assert_eq!(event_delivery.delivery(), EventDelivery::Seen);
    }
}
