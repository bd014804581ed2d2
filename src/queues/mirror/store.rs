//! The mirror, shared between the link that feeds it and the requests that read it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::metrics::Metrics;
use super::state::{Event, Mirror, Now, Phase};
use crate::ami::{Action, Message, Observer, Reply};

/// The shared mirror. The task that reads the socket also takes the mirror's lock, so no code
/// renders a response or waits while it holds the lock.
#[derive(Debug)]
pub(super) struct Store {
    mirror: Mutex<Mirror>,
    pub(super) phase: watch::Sender<Phase>,
    /// The number of the latest change.
    pub(super) latest: watch::Sender<u64>,
    /// The mirror's `names_version`. Updated only while the mirror is complete.
    pub(super) names_version: watch::Sender<u64>,
    /// Wakes the refresher when a refresh may be due earlier than expected.
    pub(super) wake_refresher: Notify,
    pub(super) metrics: Arc<Metrics>,
    /// Distinguishes this change log from the change logs of other PBXes and processes.
    pub(super) change_log_id: u64,
}

impl Store {
    pub(super) fn new() -> Arc<Self> {
        let metrics = Arc::new(Metrics::default());
        Arc::new(Self {
            mirror: Mutex::new(Mirror::new(Arc::clone(&metrics), Instant::now())),
            phase: watch::Sender::new(Phase::NeverLive),
            latest: watch::Sender::new(0),
            names_version: watch::Sender::new(0),
            wake_refresher: Notify::new(),
            metrics,
            change_log_id: fastrand::u64(..),
        })
    }

    /// Reads the mirror.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Mirror) -> T) -> T {
        read(&self.lock())
    }

    /// Changes the mirror and notifies the tasks that wait for changes.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Mirror, Now) -> T) -> T {
        let mut mirror = self.lock();
        let now = Now {
            at: Instant::now(),
            wall: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        };
        let due_before = mirror.next_pending();
        let (number_before, phase_before) = (mirror.latest_change(), mirror.phase());
        let result = change(&mut mirror, now);
        let due = mirror.next_pending();
        let (number, phase) = (mirror.latest_change(), mirror.phase());
        if phase != phase_before {
            // Send the phase under the lock, so that the last phase sent is the current one.
            // The phase changes rarely.
            self.phase.send_replace(phase);
        }
        if phase == Phase::Live && mirror.names_version() != *self.names_version.borrow() {
            self.names_version.send_replace(mirror.names_version());
        }
        drop(mirror);
        if number != number_before {
            // Another thread may have sent a later number since the lock was released.
            self.latest.send_if_modified(|latest| {
                let is_later = number > *latest;
                *latest = number.max(*latest);
                is_later
            });
        }
        if due.is_some_and(|due| due_before.is_none_or(|before| due < before)) {
            self.wake_refresher.notify_one();
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, Mirror> {
        self.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes messages from the link to the mirror.
pub(super) struct Feed(pub(super) Arc<Store>);

impl Observer for Feed {
    fn link_up(&mut self) {
        self.0.metrics.link_changed(true);
        self.0.change(|mirror, now| mirror.link_established(now.at));
    }

    fn event(&mut self, event: &Message) {
        // Decode the event before taking the lock.
        let event = Event::of(event);
        self.0
            .change(|mirror, now| mirror.event_received(event, now));
    }

    fn answered(&mut self, action: &Action, reply: &Reply) {
        self.0
            .change(|mirror, now| mirror.reply_received(action, reply, now));
    }

    fn round_trip(&mut self, duration: Duration) {
        let histogram = &self.0.metrics.round_trip_seconds;
        histogram.observe(duration.as_secs_f64());
    }

    fn link_down(&mut self) {
        self.0.metrics.link_changed(false);
        self.0.change(|mirror, _| mirror.link_lost());
    }
}
