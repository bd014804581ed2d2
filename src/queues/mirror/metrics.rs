//! Metrics of a PBX's mirror and link.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use tokio::time::Instant;

/// Bucket bounds of latency histograms, in seconds. The lowest bound is for reads from the
/// mirror, the highest is for timeouts.
pub const LATENCY_BOUNDS: [f64; 11] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0, 10.0,
];

/// Metrics of a PBX's mirror and link.
#[derive(Debug)]
pub struct Metrics {
    /// Time from sending an action to receiving its reply, in seconds.
    pub round_trip_seconds: Histogram,
    /// Number of links established after the first one.
    pub reconnects: Counter,
    link: Mutex<LinkUptime>,
    /// Number of queues listed by the periodic resync.
    pub resyncs: Counter,
    /// Number of members whose state in a resync differed from the state that events had
    /// reported.
    pub drift: Counter,
    /// Number of queries sent because the state of a queue or a member was uncertain.
    pub targeted_refreshes: Counter,
    /// Time from a change's acknowledgment to its event, in seconds.
    pub overlay_seconds: Histogram,
    /// Number of acknowledged changes whose event did not arrive in time.
    pub overlays_overdue: Counter,
    /// Number of pauses that the bridge has ended because their time was over.
    pub pauses_ended: Counter,
    /// Number of failed attempts to end a pause.
    pub pause_end_failures: Counter,
    /// Number of open event streams.
    pub stream_clients: Gauge,
    /// Number of snapshots sent because a stream's client had fallen too far behind.
    pub dropped_to_snapshot: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            round_trip_seconds: Histogram::new(LATENCY_BOUNDS),
            reconnects: Counter::default(),
            link: Mutex::new(LinkUptime {
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
            pauses_ended: Counter::default(),
            pause_end_failures: Counter::default(),
            stream_clients: Gauge::default(),
            dropped_to_snapshot: Counter::default(),
        }
    }
}

/// Whether the link is up, and since when.
#[derive(Debug)]
struct LinkUptime {
    /// Whether the link has ever been up.
    has_been_up: bool,
    is_up: bool,
    since: Instant,
}

impl Metrics {
    /// Records that the link was established or lost. A loss may be reported twice: when
    /// Asterisk announces its shutdown, and when the connection closes.
    pub(super) fn link_changed(&self, is_up: bool) {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        if link.is_up == is_up {
            return;
        }
        if is_up && link.has_been_up {
            self.reconnects.inc();
        }
        *link = LinkUptime {
            has_been_up: true,
            is_up,
            since: Instant::now(),
        };
    }

    /// Returns the time since the link was last established or lost. Before the first link,
    /// returns the time since startup.
    #[must_use]
    pub fn link_age(&self) -> Duration {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        link.since.elapsed()
    }
}
