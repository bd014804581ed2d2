//! The text of `/metrics`.

use std::fmt::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use super::admin::Admin;
use super::tls::Tls;
use crate::certificate::validity;
use crate::queues::Pbxes;
use crate::queues::mirror::Delivery;
use crate::queues::{MemberState, Queue};
use crate::queues::{Pbx, PbxStatus, Question};

/// What the text is told as, by what the client accepts. It is OpenMetrics, and valid
/// as Prometheus' older text too, to which the units and the end are comments.
pub(super) fn content_type(accept: &str) -> &'static str {
    if accept.contains("application/openmetrics-text") {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        "text/plain; version=0.0.4; charset=utf-8"
    }
}

/// How long Asterisk has to tell callers and figures for it.
const FIGURES: Duration = Duration::from_secs(2);

/// All metrics as text, those of queues where they are wanted.
pub(super) async fn text(admin: &Admin) -> String {
    let pbxes = &admin.pbxes;
    let mut queues: Vec<(String, Vec<Arc<Queue>>)> = Vec::new();
    if admin.queue_metrics {
        let question = Question {
            names: None,
            finds_new: false,
            fresh: false,
            deadline: Instant::now() + FIGURES,
            request_id: "metrics",
        };
        let of_pbxes = pbxes.iter().map(async |(name, pbx)| {
            let snapshot = pbx.queues(question, |_| true).await;
            // Without a link there are none, and its own metrics say so.
            Some((name.clone(), snapshot.ok()?.queues))
        });
        // All at once: one that is silent holds no other up.
        queues = join_all(of_pbxes).await.into_iter().flatten().collect();
    }
    let mut registry = Registry::with_prefix("ami_bridge");
    admin.requests.register(&mut registry);
    register_interface(&mut registry, admin);
    let help = "Log lines that were dropped, since whoever reads the log was too slow";
    registry.register(
        "log_lines_dropped",
        help,
        ConstCounter::new(admin.log.dropped()),
    );
    registry.register_collector(Box::new(PbxMetrics(Arc::clone(pbxes))));
    registry.register_collector(Box::new(Queues(queues)));
    let mut text = String::new();
    // Only what can't be written fails, and a string can.
    let _ = encode(&mut text, &registry);
    text
}

/// What is known of the listener for panels.
fn register_interface(registry: &mut Registry, admin: &Admin) {
    let (taken, limit) = admin.slots.taken();
    for (name, help, value) in [
        ("connections", "Connections of the interface", taken),
        ("connections_limit", "How many there may be at once", limit),
    ] {
        registry.register(name, help, ConstGauge::new(value as u64));
    }
    let certificate = admin.tls.as_ref().and_then(Tls::certificate);
    if let Some((_, end)) = certificate.and_then(|der| validity(&der)) {
        let help = "Until when the interface's certificate is valid, in Unix time";
        let end = ConstGauge::new(end.as_second());
        registry.register_with_unit("certificate_end_timestamp", help, Unit::Seconds, end);
    }
}

/// What is known of PBXes.
#[derive(Debug)]
struct PbxMetrics(Arc<Pbxes>);

type Write = dyn Fn(&Pbx, MetricEncoder<'_>) -> Result<(), Error>;

impl Collector for PbxMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Whether the link to the PBX is there, and its state loaded";
        let mut metric = encoder.encode_descriptor("link_up", help, None, MetricType::Gauge)?;
        for (name, pbx) in self.0.iter() {
            let is_ready = matches!(pbx.status(), PbxStatus::Ready { .. });
            let up = i64::from(is_ready);
            ConstGauge::new(up).encode(metric.encode_family(&[("pbx", name.as_str())])?)?;
        }
        let (counter, gauge) = (MetricType::Counter, MetricType::Gauge);
        let metrics: [(&str, &str, Option<Unit>, MetricType, &Write); 14] = [
            (
                "link_age",
                "Time since the link was made or lost",
                Some(Unit::Seconds),
                gauge,
                &|pbx, e| ConstGauge::new(pbx.metrics().link_age().as_secs_f64()).encode(e),
            ),
            (
                "reconnects",
                "Links that were made after the first",
                None,
                counter,
                &|pbx, e| pbx.metrics().reconnects.encode(e),
            ),
            (
                "ami_round_trip",
                "Time from sending an action to its answer",
                Some(Unit::Seconds),
                MetricType::Histogram,
                &|pbx, e| pbx.metrics().round_trip_seconds.encode(e),
            ),
            (
                "pending_requests",
                "Requests that use the link",
                None,
                gauge,
                &|pbx, e| ConstGauge::new(pbx.client().pending().0 as u64).encode(e),
            ),
            (
                "pending_requests_limit",
                "How many may use it at once",
                None,
                gauge,
                &|pbx, e| ConstGauge::new(pbx.client().pending().1 as u64).encode(e),
            ),
            (
                "resyncs",
                "Queues that were asked about only because it was their turn",
                None,
                counter,
                &|pbx, e| pbx.metrics().resyncs.encode(e),
            ),
            (
                "drift",
                "Members that a resync has found otherwise than events had told",
                None,
                counter,
                &|pbx, e| pbx.metrics().drift.encode(e),
            ),
            (
                "targeted_refreshes",
                "Questions about a queue or a member that had become doubtful",
                None,
                counter,
                &|pbx, e| pbx.metrics().targeted_refreshes.encode(e),
            ),
            (
                "overlay",
                "Time from the acknowledgement of a change to its event",
                Some(Unit::Seconds),
                MetricType::Histogram,
                &|pbx, e| pbx.metrics().overlay_seconds.encode(e),
            ),
            (
                "overlays_overdue",
                "Acknowledged changes whose events have not come",
                None,
                counter,
                &|pbx, e| pbx.metrics().overlays_overdue.encode(e),
            ),
            (
                "events_missing",
                "Whether a change of a member was found that no event had announced",
                None,
                gauge,
                &|pbx, e| {
                    let missing = pbx.delivery() == Delivery::Missing;
                    ConstGauge::new(i64::from(missing)).encode(e)
                },
            ),
            (
                "clock_offset",
                "Time by which the PBX's clock is ahead of the bridge's",
                Some(Unit::Seconds),
                gauge,
                &|pbx, e| match pbx.clock_offset() {
                    Some(offset) => ConstGauge::new(offset).encode(e),
                    None => Ok(()),
                },
            ),
            (
                "stream_clients",
                "Event streams that are open",
                None,
                gauge,
                &|pbx, e| pbx.metrics().stream_clients.encode(e),
            ),
            (
                "stream_snapshots",
                "Snapshots for event streams whose readers had fallen behind",
                None,
                counter,
                &|pbx, e| pbx.metrics().dropped_to_snapshot.encode(e),
            ),
        ];
        for (name, help, unit, kind, write) in metrics {
            let mut metric = encoder.encode_descriptor(name, help, unit.as_ref(), kind)?;
            for (name, pbx) in self.0.iter() {
                let labels = [("pbx", name.as_str())];
                write(pbx, metric.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

/// Queues, by their PBX.
#[derive(Debug)]
struct Queues(Vec<(String, Vec<Arc<Queue>>)>);

/// What is told of a queue.
type Figure = fn(&Queue) -> u64;

impl Collector for Queues {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let figures: [(&str, &str, Option<Unit>, Figure); 4] = [
            ("queue_callers", "Callers who wait", None, |queue| {
                queue.callers.len() as u64
            }),
            (
                "queue_longest_wait",
                "Time that the caller has waited who waits longest",
                Some(Unit::Seconds),
                Queue::longest_wait_seconds,
            ),
            (
                "queue_completed",
                "Calls answered since Asterisk last began to count",
                None,
                |queue| queue.completed,
            ),
            (
                "queue_abandoned",
                "Callers who gave up since Asterisk last began to count",
                None,
                |queue| queue.abandoned,
            ),
        ];
        for (name, help, unit, figure) in figures {
            // Gauges, since Asterisk can begin to count anew.
            let mut metric =
                encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            for (pbx, queue) in self.all() {
                let labels = [("pbx", pbx), ("queue", queue.name.as_str())];
                ConstGauge::new(figure(queue)).encode(metric.encode_family(&labels)?)?;
            }
        }
        let help = "Agents, by what they are doing";
        let mut metric =
            encoder.encode_descriptor("queue_agents", help, None, MetricType::Gauge)?;
        for (pbx, queue) in self.all() {
            for state in MemberState::ALL {
                let agents = queue
                    .members
                    .iter()
                    .filter(|member| member.state() == state);
                let labels = [
                    ("pbx", pbx),
                    ("queue", queue.name.as_str()),
                    ("state", state.as_str()),
                ];
                let agents = ConstGauge::new(agents.count() as u64);
                agents.encode(metric.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

impl Queues {
    fn all(&self) -> impl Iterator<Item = (&str, &Queue)> {
        self.0
            .iter()
            .flat_map(|(pbx, queues)| queues.iter().map(move |queue| (pbx.as_str(), &**queue)))
    }
}
