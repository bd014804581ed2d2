//! What the live state counts of itself and its link.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use tokio::time::Instant;

/// From an answer out of memory to one that Asterisk does not give in time: bounds of
/// histograms.
pub const SECONDS: [f64; 11] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0, 10.0,
];

/// Figures of one PBX's live state.
#[derive(Debug)]
pub struct Metrics {
    /// Time from sending an action to its answer, in seconds.
    pub round_trip_seconds: Histogram,
    /// Links that were made after the first.
    pub reconnects: Counter,
    link: Mutex<LinkTimes>,
    /// Queues that were asked for only because it was their turn.
    pub resyncs: Counter,
    /// Members that a resync has found otherwise than events had told.
    pub drift: Counter,
    /// Queries about a queue or a member because something made it doubtful.
    pub targeted_refreshes: Counter,
    /// How long acknowledged changes were laid over the state, in seconds.
    pub overlay_seconds: Histogram,
    /// Acknowledged changes whose events have not come.
    pub overlays_overdue: Counter,
    /// Event streams that are open.
    pub stream_clients: Gauge,
    /// Snapshots sent to a stream whose reader had fallen behind.
    pub dropped_to_snapshot: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            round_trip_seconds: Histogram::new(SECONDS),
            reconnects: Counter::default(),
            link: Mutex::new(LinkTimes {
                had: false,
                is_up: false,
                since: Instant::now(),
            }),
            resyncs: Counter::default(),
            drift: Counter::default(),
            targeted_refreshes: Counter::default(),
            overlay_seconds: Histogram::new([
                0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1.0, 2.0,
            ]),
            overlays_overdue: Counter::default(),
            stream_clients: Gauge::default(),
            dropped_to_snapshot: Counter::default(),
        }
    }
}

/// When a link was made or lost last.
#[derive(Debug)]
struct LinkTimes {
    /// Whether there has been one.
    had: bool,
    is_up: bool,
    since: Instant,
}

impl Metrics {
    /// The link has been made or lost. That it is lost may be told twice: when
    /// Asterisk announces its end, and at that end.
    pub(super) fn link(&self, is_up: bool) {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        if link.is_up == is_up {
            return;
        }
        if is_up && link.had {
            self.reconnects.inc();
        }
        *link = LinkTimes {
            had: true,
            is_up,
            since: Instant::now(),
        };
    }

    /// For how long the link is there, or gone; at first, since the start.
    #[must_use]
    pub fn link_age(&self) -> Duration {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        link.since.elapsed()
    }
}
