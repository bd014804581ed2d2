//! Detects whether Asterisk's member events arrive.
//!
//! Member events don't arrive if the AMI user lacks `read=agent`, or if an `eventfilter` or
//! `disabledevents` drops them. Without these events everything seems to work, but reads lag.
//! A change without an event is evidence that member events don't arrive.

use tokio::time::Instant;
use tracing::{info, warn};

/// Whether member events arrive from Asterisk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventDelivery {
    /// No member has changed yet, so no event was expected.
    Unknown,
    /// Member events arrive.
    Seen,
    /// A member has changed, but no event reported the change.
    Missing,
}

impl EventDelivery {
    /// Returns the text for `/readyz`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Seen => "seen",
            Self::Missing => "missing",
        }
    }
}

/// The evidence since the link was established.
#[derive(Debug, Default)]
pub(super) struct DeliveryEvidence {
    /// When the last event about an addition, a removal or a pause arrived.
    last_event: Option<Instant>,
    is_missing: bool,
}

impl DeliveryEvidence {
    /// Records that an event has reported an addition, a removal or a pause.
    pub(super) fn event_received(&mut self, now: Instant) {
        if self.is_missing {
            info!("member events arrive again");
        }
        *self = Self {
            last_event: Some(now),
            is_missing: false,
        };
    }

    /// Records that the event for a change is overdue. The change was made or found at `since`.
    /// If other events have arrived after `since`, the missing event may only be late, for
    /// example on a busy PBX.
    pub(super) fn event_overdue(&mut self, since: Instant) {
        let may_be_late = self.last_event.is_some_and(|last| last >= since);
        if may_be_late || self.is_missing {
            return;
        }
        self.is_missing = true;
        warn!(
            "no event reported a member change. In manager.conf, the AMI user's section needs \
             `read = agent,system`, and no eventfilter or disabledevents may drop QueueMember \
             events. After a fix, run `manager reload` and restart the bridge. Until then, \
             changes made elsewhere show up late"
        );
    }

    pub(super) fn delivery(&self) -> EventDelivery {
        match self {
            Self {
                is_missing: true, ..
            } => EventDelivery::Missing,
            Self {
                last_event: Some(_),
                ..
            } => EventDelivery::Seen,
            Self {
                last_event: None, ..
            } => EventDelivery::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn overdue_event_counts_as_missing_unless_other_events_arrive() {
        let start = Instant::now();
        let later = start + Duration::from_secs(2);
        let mut event_delivery = DeliveryEvidence::default();
        assert_eq!(event_delivery.delivery(), EventDelivery::Unknown);
        event_delivery.event_received(later);
        event_delivery.event_overdue(start);
        assert_eq!(event_delivery.delivery(), EventDelivery::Seen);
        event_delivery.event_overdue(later + Duration::from_secs(1));
        assert_eq!(event_delivery.delivery(), EventDelivery::Missing);
        event_delivery.event_received(later + Duration::from_secs(9));
        assert_eq!(event_delivery.delivery(), EventDelivery::Seen);
    }
}
