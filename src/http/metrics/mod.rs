//! Renders `/metrics`.

mod pbx_metrics;
mod queue_metrics;
mod token_metrics;

use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use self::pbx_metrics::PbxCollector;
use self::queue_metrics::QueueCollector;
use super::listener::{Slots, Tls};
use super::routes::RoutesSlot;
use crate::api::RequestMetrics;
use crate::certificate::validity_period;
use crate::queues::Pbxes;
use crate::storage::{Storage, StorageStatus};
use crate::telemetry::LogFlow;

/// The sources of all metrics.
#[derive(Debug)]
pub struct BridgeMetrics {
    /// The PBXes.
    pub pbxes: Arc<Pbxes>,
    /// Counts the API requests.
    pub requests: Arc<RequestMetrics>,
    /// The current organizations and tokens, which a reload replaces.
    pub routes: Arc<RoutesSlot>,
    /// The API listener's connections.
    pub slots: Slots,
    /// The API listener's TLS acceptor; `None` for plain HTTP.
    pub tls: Option<Tls>,
    /// Counts the log lines.
    pub log: LogFlow,
    /// What must survive a restart.
    pub storage: Storage,
    /// Whether to include the queue metrics.
    pub includes_queues: bool,
}

/// Returns the content type of the response to a request whose `Accept` header is `accept`. The
/// text is in OpenMetrics format. The same text is also valid in the older Prometheus format,
/// which treats the units and the end marker as comments.
pub(super) fn content_type(accept: &str) -> &'static str {
    if accept.contains("application/openmetrics-text") {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        "text/plain; version=0.0.4; charset=utf-8"
    }
}

impl BridgeMetrics {
    /// Returns all metrics as text. If the queue metrics are included, queries Asterisk for
    /// callers and statistics.
    pub(super) async fn text(&self) -> String {
        let mut registry = Registry::with_prefix("ami_bridge");
        self.requests.register(&mut registry);
        self.register_connections(&mut registry);
        self.register_certificate(&mut registry);
        self.register_storage(&mut registry);
        token_metrics::register_expiry(self.routes.api().directory(), &mut registry);
        registry.register(
            "log_lines_dropped",
            "Log lines that were dropped because the log reader was too slow",
            ConstCounter::new(self.log.dropped()),
        );
        registry.register_collector(Box::new(PbxCollector(Arc::clone(&self.pbxes))));
        let queues = if self.includes_queues {
            QueueCollector::query(&self.pbxes).await
        } else {
            QueueCollector::default()
        };
        registry.register_collector(Box::new(queues));
        let mut text = String::new();
        // Writing to a string never fails.
        let _ = encode(&mut text, &registry);
        text
    }

    fn register_connections(&self, registry: &mut Registry) {
        let (taken, limit) = self.slots.taken();
        for (name, help, value) in [
            ("connections", "Open API connections", taken),
            (
                "connections_limit",
                "Maximum number of open API connections",
                limit,
            ),
        ] {
            registry.register(name, help, ConstGauge::new(value as u64));
        }
    }

    fn register_storage(&self, registry: &mut Registry) {
        let is_up = match self.storage.status() {
            StorageStatus::Memory | StorageStatus::Ready => 1_u64,
            StorageStatus::Unavailable { .. } => 0,
        };
        let help = "1 if the ends of pauses can be stored";
        registry.register("storage_up", help, ConstGauge::new(is_up));
        let help = "Failed attempts to open, read or write the database of the state";
        let errors = ConstCounter::new(self.storage.errors());
        registry.register("storage_errors", help, errors);
    }

    fn register_certificate(&self, registry: &mut Registry) {
        let certificate = self.tls.as_ref().and_then(Tls::certificate);
        if let Some((_, end)) = certificate.and_then(|der| validity_period(&der)) {
            let help = "Unix time at which the API's certificate expires";
            let end = ConstGauge::new(end.as_second());
            registry.register_with_unit("certificate_end_timestamp", help, Unit::Seconds, end);
        }
    }
}
