//! The mirror between those who feed it and those who read it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::event::Event;
use super::metrics::Metrics;
use super::mirror::{Mirror, Phase};
use super::now::Now;
use crate::ami::{Action, Message, Observer, Reply};

/// The mirror. Its lock is held for moments only, since the task that reads the
/// socket takes it too: nothing is rendered, and nobody waits, under it.
#[derive(Debug)]
pub(super) struct Store {
    mirror: Mutex<Mirror>,
    pub(super) phase: watch::Sender<Phase>,
    /// Number of the latest change.
    pub(super) latest: watch::Sender<u64>,
    /// Counts changes of which queues there are, once all are known.
    pub(super) names: watch::Sender<u64>,
    /// There may be something to ask.
    pub(super) work: Notify,
    pub(super) metrics: Arc<Metrics>,
    /// Tells this change_log from others, of other PBXes and other days.
    pub(super) epoch: u64,
}

impl Store {
    pub(super) fn new() -> Arc<Self> {
        let metrics = Arc::new(Metrics::default());
        Arc::new(Self {
            mirror: Mutex::new(Mirror::new(Arc::clone(&metrics), Instant::now())),
            phase: watch::Sender::new(Phase::NeverLinked),
            latest: watch::Sender::new(0),
            names: watch::Sender::new(0),
            work: Notify::new(),
            metrics,
            epoch: fastrand::u64(..),
        })
    }

    /// Looks at the mirror.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Mirror) -> T) -> T {
        read(&self.mirror.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the mirror, and wakes whoever is concerned.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Mirror, Now) -> T) -> T {
        let mut mirror = self.mirror.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Now {
            at: Instant::now(),
            wall: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        };
        let (due, number, phase) = (
            mirror.pending.next(),
            mirror.change_log.latest(),
            mirror.phase,
        );
        let result = change(&mut mirror, now);
        let is_due = mirror.pending.next();
        let (new_number, new_phase) = (mirror.change_log.latest(), mirror.phase);
        if new_phase != phase {
            // Under the lock, so that the last word is the last phase. It is rare.
            self.phase.send_replace(new_phase);
        }
        if new_phase == Phase::Live && mirror.names_version != *self.names.borrow() {
            self.names.send_replace(mirror.names_version);
        }
        drop(mirror);
        if new_number != number {
            // Another change may have been faster to get here.
            self.latest.send_if_modified(|latest| {
                let is_later = new_number > *latest;
                *latest = new_number.max(*latest);
                is_later
            });
        }
        if is_due.is_some_and(|is| due.is_none_or(|was| is < was)) {
            self.work.notify_one();
        }
        result
    }
}

/// Feeds the mirror with what the link reads.
pub(super) struct Feed(pub(super) Arc<Store>);

impl Observer for Feed {
    fn link_up(&mut self) {
        self.0.metrics.link(true);
        self.0.change(|mirror, now| {
            mirror.last_received = now.at;
            mirror.link_made(now.at);
        });
    }

    fn event(&mut self, event: &Message) {
        let event = Event::of(event);
        self.0.change(|mirror, now| {
            mirror.last_received = now.at;
            if let Some(event) = event {
                mirror.event(event, now);
            }
        });
    }

    fn answered(&mut self, action: &Action, answer: &Reply) {
        self.0.change(|mirror, now| {
            mirror.last_received = now.at;
            mirror.answered(action, answer, now);
        });
    }

    fn round_trip(&mut self, took: Duration) {
        self.0
            .metrics
            .round_trip_seconds
            .observe(took.as_secs_f64());
    }

    fn link_down(&mut self) {
        self.0.metrics.link(false);
        self.0.change(|mirror, _| mirror.link_lost());
    }
}
