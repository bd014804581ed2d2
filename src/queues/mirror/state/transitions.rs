//! Changes the mirror's phase.

use tokio::time::Instant;

use super::event_delivery::DeliveryEvidence;
use super::{Mirror, Now, Phase, Refresh, StateChange};
use crate::ami::Restarts;

impl Mirror {
    /// Records when Asterisk was started and last reloaded.
    pub(in crate::queues::mirror) fn asterisk_booted(
        &mut self,
        restarts: Option<Restarts>,
        now: Now,
    ) {
        self.timed_pauses.asterisk_booted(restarts, now.unix());
    }

    /// Starts loading, because a new link was established. The mirror's contents are no longer
    /// confirmed.
    pub(in crate::queues::mirror) fn link_established(&mut self, now: Instant) {
        self.last_received = now;
        self.phase = Phase::Loading;
        self.pending.clear();
        self.expect_differences(now);
        self.unusable_names.clear();
        self.unknown_queues.clear();
        self.event_delivery = DeliveryEvidence::default();
        self.resyncing = None;
        for queue in self.queues.values_mut() {
            queue.link_established();
        }
        self.timed_pauses.link_established();
    }

    pub(in crate::queues::mirror) fn link_lost(&mut self) {
        if self.phase == Phase::Live {
            self.change_log.push(StateChange::Link { connected: false });
        }
        self.phase = if self.has_been_live {
            Phase::Lost
        } else {
            Phase::NeverLive
        };
    }

    /// Enters [`Phase::NoAppQueue`], because Asterisk no longer knows app_queue's actions.
    /// Ignored if the link is down.
    pub(super) fn app_queue_unloaded(&mut self) {
        if matches!(self.phase, Phase::Loading | Phase::Live) {
            self.link_lost();
            self.phase = Phase::NoAppQueue;
        }
    }

    /// Starts loading again, because Asterisk knows app_queue's actions again.
    pub(in crate::queues::mirror) fn app_queue_loaded(&mut self, now: Instant) {
        if self.phase == Phase::NoAppQueue {
            self.link_established(now);
        }
    }

    /// Enters [`Phase::Live`], because every queue known when the link came up has been listed.
    /// Ignored if the link is down: the last list and the disconnect can arrive together.
    pub(in crate::queues::mirror) fn loading_finished(&mut self, now: Now) {
        if self.phase != Phase::Loading {
            return;
        }
        self.phase = Phase::Live;
        self.names_version += 1;
        self.has_been_live = true;
        self.change_log.push(StateChange::Link { connected: true });
        // Queues that appeared during loading were not listed.
        let new = self
            .queues()
            .filter(|queue| queue.listed_in_full_at.is_none());
        let new: Vec<_> = new.map(|queue| queue.name.clone()).collect();
        for queue in new {
            self.request_refresh(Refresh::Queue(queue), now.at);
        }
        self.catalog_since = self.catalog_since.max(now.unix_millis());
        self.review_timed_pauses(now);
        self.plan_all(now);
    }
}
