//! What the live state counts of itself.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

/// Figures of one PBX's live state.
#[derive(Debug)]
pub struct Metrics {
    /// Queues that were asked for only because it was their turn.
    pub resyncs: Counter,
    /// Members that a resync has found otherwise than events had told.
    pub drift: Counter,
    /// Questions about a queue or a member because something made it doubtful.
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
