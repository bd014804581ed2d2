//! The mirror, shared between the link that feeds it and the requests that read it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::metrics::Metrics;
use super::state::{Event, Mirror, Now, Phase, StorageChange};
use crate::ami::{Action, Message, Observer, Reply, Restarts};
use crate::queues::call_event::CallEvent;
use crate::storage::Storage;

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
    /// Wakes the pause timer when a moment may come earlier than expected.
    pub(super) wake_pause_timer: Notify,
    pub(super) storage: Storage,
    pub(super) metrics: Arc<Metrics>,
    /// Distinguishes this change log from the change logs of other PBXes and processes.
    pub(super) change_log_id: u64,
}

impl Store {
    pub(super) fn new(storage: Storage) -> Arc<Self> {
        let metrics = Arc::new(Metrics::default());
        Arc::new(Self {
            mirror: Mutex::new(Mirror::new(Arc::clone(&metrics), Instant::now())),
            phase: watch::Sender::new(Phase::NeverLive),
            latest: watch::Sender::new(0),
            names_version: watch::Sender::new(0),
            wake_refresher: Notify::new(),
            wake_pause_timer: Notify::new(),
            storage,
            metrics,
            change_log_id: fastrand::u64(..),
        })
    }

    /// Reads the mirror.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Mirror) -> T) -> T {
        read(&self.lock())
    }

    /// Reads the mirror after applying the changes that time has made. Also passes the current
    /// time in Unix milliseconds, at which the members have their states.
    pub(super) fn read_current<T>(&self, read: impl FnOnce(&Mirror, i64) -> T) -> T {
        let mirror = self.lock();
        // Read the clock under the lock, so that it is not earlier than a change that time made.
        let now = Now::read().unix_millis();
        if mirror.next_display_change().is_none_or(|at| at > now) {
            return read(&mirror, now);
        }
        drop(mirror);
        self.change(|mirror, now| read(mirror, now.unix_millis()))
    }

    /// Changes the mirror and notifies the tasks that wait for changes.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Mirror, Now) -> T) -> T {
        let mut mirror = self.lock();
        let now = Now::read();
        let moment_before = mirror.next_moment();
        let number_before = mirror.latest_change();
        // Otherwise, a change could replace a moment that is due, and nothing would show it.
        if mirror
            .next_display_change()
            .is_some_and(|at| at <= now.unix_millis())
        {
            mirror.show_due_changes(now);
        }
        let due_before = mirror.next_pending();
        let phase_before = mirror.phase();
        let result = change(&mut mirror, now);
        let due = mirror.next_pending();
        let moment = mirror.next_moment();
        self.store_changes(mirror.take_storage_changes());
        let (number, phase) = (mirror.latest_change(), mirror.phase());
        if phase != phase_before {
            mirror.report_phase(now);
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
        if moment.is_some_and(|at| moment_before.is_none_or(|before| at < before)) {
            self.wake_pause_timer.notify_one();
        }
        result
    }

    /// Passes changes to the storage, which queues them.
    fn store_changes(&self, changes: Vec<StorageChange>) {
        let mut deleted = Vec::new();
        for change in changes {
            match change {
                StorageChange::SetLastPause(id, at) => self.storage.set_last_pause(id, at),
                StorageChange::Delete(id) => deleted.push(id),
            }
        }
        if !deleted.is_empty() {
            self.storage.delete(deleted);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Mirror> {
        self.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes messages from the link to the mirror.
pub(super) struct Feed(pub(super) Arc<Store>);

impl Observer for Feed {
    fn booted(&mut self, restarts: Option<Restarts>) {
        self.0
            .change(|mirror, now| mirror.asterisk_booted(restarts, now));
    }

    fn link_up(&mut self) {
        self.0.metrics.link_changed(true);
        self.0.change(|mirror, now| mirror.link_established(now.at));
    }

    fn event(&mut self, event: &Message) {
        // Decode the event before taking the lock.
        let call = CallEvent::of(event);
        let time = event.text("Timestamp").and_then(|time| time.parse().ok());
        let event = Event::of(event);
        self.0.change(|mirror, now| {
            mirror.set_event_time(time);
            mirror.event_received(event, now);
            if let Some(call) = call {
                mirror.report_call(call, now);
            }
            mirror.set_event_time(None);
        });
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
