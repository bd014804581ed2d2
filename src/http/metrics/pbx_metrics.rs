//! The metrics of each PBX.

use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::queues::mirror::EventDelivery;
use crate::queues::{Pbx, PbxStatus, Pbxes};

/// Encodes the metrics of all PBXes, with the label `pbx`.
#[derive(Debug)]
pub(super) struct PbxCollector(pub(super) Arc<Pbxes>);

impl Collector for PbxCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        for metric in &METRICS {
            let unit = metric.is_in_seconds.then_some(Unit::Seconds);
            let mut family = encoder.encode_descriptor(
                metric.name,
                metric.help,
                unit.as_ref(),
                metric.metric_type,
            )?;
            for (name, pbx) in self.0.iter() {
                let labels = [("pbx", name.as_str())];
                (metric.encode)(pbx, family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

/// A metric with one value per PBX.
struct PbxMetric {
    name: &'static str,
    help: &'static str,
    is_in_seconds: bool,
    metric_type: MetricType,
    encode: EncodePbx,
}

/// Encodes a metric's value for one PBX.
type EncodePbx = fn(&Pbx, MetricEncoder<'_>) -> Result<(), Error>;

impl PbxMetric {
    const fn gauge(name: &'static str, help: &'static str, encode: EncodePbx) -> Self {
        Self {
            name,
            help,
            is_in_seconds: false,
            metric_type: MetricType::Gauge,
            encode,
        }
    }

    const fn counter(name: &'static str, help: &'static str, encode: EncodePbx) -> Self {
        Self {
            metric_type: MetricType::Counter,
            ..Self::gauge(name, help, encode)
        }
    }

    const fn histogram(name: &'static str, help: &'static str, encode: EncodePbx) -> Self {
        Self {
            metric_type: MetricType::Histogram,
            ..Self::gauge(name, help, encode)
        }
    }

    const fn in_seconds(self) -> Self {
        Self {
            is_in_seconds: true,
            ..self
        }
    }
}

static METRICS: [PbxMetric; 17] = [
    PbxMetric::gauge(
        "link_up",
        "1 if the PBX is linked and its queues are loaded",
        |pbx, encoder| {
            let is_ready = matches!(pbx.status(), PbxStatus::Ready { .. });
            ConstGauge::new(i64::from(is_ready)).encode(encoder)
        },
    ),
    PbxMetric::gauge(
        "link_age",
        "Time since the link came up or was lost",
        |pbx, encoder| ConstGauge::new(pbx.metrics().link_age().as_secs_f64()).encode(encoder),
    )
    .in_seconds(),
    PbxMetric::counter(
        "reconnects",
        "Links established after the first one",
        |pbx, encoder| pbx.metrics().reconnects.encode(encoder),
    ),
    PbxMetric::histogram(
        "ami_round_trip",
        "Time from sending an AMI action to its reply",
        |pbx, encoder| pbx.metrics().round_trip_seconds.encode(encoder),
    )
    .in_seconds(),
    PbxMetric::gauge(
        "pending_requests",
        "Requests that are using the link",
        |pbx, encoder| ConstGauge::new(pbx.pending_requests().0 as u64).encode(encoder),
    ),
    PbxMetric::gauge(
        "pending_requests_limit",
        "Maximum number of requests that use the link at the same time",
        |pbx, encoder| ConstGauge::new(pbx.pending_requests().1 as u64).encode(encoder),
    ),
    PbxMetric::counter(
        "resyncs",
        "Queue queries sent by the periodic resync",
        |pbx, encoder| pbx.metrics().resyncs.encode(encoder),
    ),
    PbxMetric::counter(
        "drift",
        "Members whose state in a resync differed from what events had reported",
        |pbx, encoder| pbx.metrics().drift.encode(encoder),
    ),
    PbxMetric::counter(
        "targeted_refreshes",
        "Queries sent because the state of a queue or a member was uncertain",
        |pbx, encoder| pbx.metrics().targeted_refreshes.encode(encoder),
    ),
    PbxMetric::histogram(
        "overlay",
        "Time from the acknowledgement of a change to its event",
        |pbx, encoder| pbx.metrics().overlay_seconds.encode(encoder),
    )
    .in_seconds(),
    PbxMetric::counter(
        "overlays_overdue",
        "Acknowledged changes whose events did not arrive in time",
        |pbx, encoder| pbx.metrics().overlays_overdue.encode(encoder),
    ),
    PbxMetric::counter(
        "pauses_ended",
        "Pauses ended because their time was over",
        |pbx, encoder| pbx.metrics().pauses_ended.encode(encoder),
    ),
    PbxMetric::counter(
        "pause_end_failures",
        "Failed attempts to end a pause",
        |pbx, encoder| pbx.metrics().pause_end_failures.encode(encoder),
    ),
    PbxMetric::gauge(
        "events_missing",
        "1 if a member has changed without an event",
        |pbx, encoder| {
            let is_missing = pbx.event_delivery() == EventDelivery::Missing;
            ConstGauge::new(i64::from(is_missing)).encode(encoder)
        },
    ),
    PbxMetric::gauge(
        "clock_offset",
        "Time by which the PBX's clock is ahead of the bridge's clock",
        |pbx, encoder| match pbx.clock_offset() {
            Some(offset) => ConstGauge::new(offset).encode(encoder),
            None => Ok(()),
        },
    )
    .in_seconds(),
    PbxMetric::gauge("stream_clients", "Open event streams", |pbx, encoder| {
        pbx.metrics().stream_clients.encode(encoder)
    }),
    PbxMetric::counter(
        "stream_snapshots",
        "Snapshots sent to event streams whose clients were too slow",
        |pbx, encoder| pbx.metrics().dropped_to_snapshot.encode(encoder),
    ),
];
