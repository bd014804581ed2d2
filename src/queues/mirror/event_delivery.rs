//! Whether Asterisk's events about members arrive.
//!
//! Without `read=agent`, or with an `eventfilter` or `disabledevents` that drops them,
//! nothing looks wrong: reads just lag. So what should have been announced and was not
//! is evidence.

use tokio::time::Instant;
use tracing::{info, warn};

/// Whether events about members arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventDelivery {
    /// Nothing has happened yet that would show it.
    Unknown,
    /// They do.
    Seen,
    /// Something was changed, and no event has announced it.
    Missing,
}

impl EventDelivery {
    /// As `/readyz` says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Seen => "seen",
            Self::Missing => "missing",
        }
    }
}

/// The evidence of one link.
#[derive(Debug, Default)]
pub(super) struct DeliveryEvidence {
    /// When the last event came that announces who is a member or paused.
    last: Option<Instant>,
    missing: bool,
}

impl DeliveryEvidence {
    /// An event has announced who is a member or paused.
    pub(super) fn event(&mut self, now: Instant) {
        if self.missing {
            info!("events about members arrive again");
        }
        *self = Self {
            last: Some(now),
            missing: false,
        };
    }

    /// A change that was found or made at `since` should have been announced by now.
    /// On a busy PBX an event can be late: then others come meanwhile.
    pub(super) fn unannounced(&mut self, since: Instant) {
        let others_come = self.last.is_some_and(|last| last >= since);
        if others_come || self.missing {
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
    fn silence_is_evidence_and_lateness_is_not() {
        let start = Instant::now();
        let later = start + Duration::from_secs(2);
        let mut event_delivery = DeliveryEvidence::default();
        assert_eq!(event_delivery.delivery(), EventDelivery::Unknown);
        event_delivery.event(later);
        event_delivery.unannounced(start);
        assert_eq!(event_delivery.delivery(), EventDelivery::Seen);
        event_delivery.unannounced(later + Duration::from_secs(1));
        assert_eq!(event_delivery.delivery(), EventDelivery::Missing);
        event_delivery.event(later + Duration::from_secs(9));
        assert_eq!(event_delivery.delivery(), EventDelivery::Seen);
    }
}
