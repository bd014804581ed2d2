//! Metrics of a PBX's mirror and link.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use tokio::time::Instant;

/// Bucket bounds of the latency histograms, in seconds, from a read of the mirror to a
/// timeout.
pub const LATENCY_BOUNDS: [f64; 11] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0, 10.0,
];

/// Metrics of a PBX's mirror and link.
#[derive(Debug)]
pub struct Metrics {
    /// Time from sending an action to its reply, in seconds.
    pub round_trip_seconds: Histogram,
    /// Links made after the first one.
    pub reconnects: Counter,
    link: Mutex<LinkTimes>,
    /// Queues listed by the periodic resync.
    pub resyncs: Counter,
    /// Members that a resync listed differently from what events had reported.
    pub drift: Counter,
    /// Queries about a queue or a member whose state was uncertain.
    pub targeted_refreshes: Counter,
    /// How long acknowledged changes were shown before their event, in seconds.
    pub overlay_seconds: Histogram,
    /// Acknowledged changes whose events have not arrived in time.
    pub overlays_overdue: Counter,
    /// Open event streams.
    pub stream_clients: Gauge,
    /// Snapshots sent to streams whose readers had fallen behind.
    pub dropped_to_snapshot: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            round_trip_seconds: Histogram::new(LATENCY_BOUNDS),
            reconnects: Counter::default(),
            link: Mutex::new(LinkTimes {
                has_been_up: false,
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

/// When the link was last made or lost.
#[derive(Debug)]
struct LinkTimes {
    /// Whether there has ever been a link.
    has_been_up: bool,
    is_up: bool,
    since: Instant,
}

impl Metrics {
    /// The link was made or lost. A loss may be reported twice: when Asterisk announces
    /// its shutdown, and when the connection ends.
    pub(super) fn link_changed(&self, is_up: bool) {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        if link.is_up == is_up {
            return;
        }
        if is_up && link.has_been_up {
            self.reconnects.inc();
        }
        *link = LinkTimes {
            has_been_up: true,
            is_up,
            since: Instant::now(),
        };
    }

    /// Time since the link was made or lost; before the first link, since the start.
    #[must_use]
    pub fn link_age(&self) -> Duration {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        link.since.elapsed()
    }
}
