//! Metrics of API requests. No label contains a user, agent, queue or address.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::queues::mirror::LATENCY_BOUNDS;

/// Counters of all requests since the daemon started. A reload of the configuration does not
/// reset them.
#[derive(Debug)]
pub struct RequestMetrics {
    total: Family<RequestLabels, Counter>,
    duration: Family<DurationLabels, Histogram, fn() -> Histogram>,
    unknown_outcomes: Counter,
    pub(super) failed_logins: Counter,
    pub(super) lockouts: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    action: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    action: &'static str,
}

impl Default for RequestMetrics {
    fn default() -> Self {
        Self {
            total: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(LATENCY_BOUNDS)),
            unknown_outcomes: Counter::default(),
            failed_logins: Counter::default(),
            lockouts: Counter::default(),
        }
    }
}

impl RequestMetrics {
    /// Counts a request. `action` is `None` if the request named no known action. `code` is
    /// `success`, `partial` or an error code.
    pub(super) fn count(&self, action: Option<&'static str>, code: &'static str, seconds: f64) {
        let action = action.unwrap_or("none");
        self.total
            .get_or_create(&RequestLabels { action, code })
            .inc();
        let duration = self.duration.get_or_create(&DurationLabels { action });
        duration.observe(seconds);
    }

    /// Counts the queues in which a change was sent but not answered. The request counter does
    /// not show them: it counts a request as `partial` if the change succeeded in another queue.
    pub(super) fn count_unknown(&self, queues: usize) {
        self.unknown_outcomes.inc_by(queues as u64);
    }

    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        let total = self.total.clone();
        registry.register("requests", "Requests by action and result", total);
        registry.register_with_unit(
            "request_duration",
            "Time from a request to its response, or until an event stream is open",
            Unit::Seconds,
            self.duration.clone(),
        );
        let unknown = self.unknown_outcomes.clone();
        let help = "Changes that were sent but not answered, counted for each queue";
        registry.register("unknown_outcomes", help, unknown);
        let failed = self.failed_logins.clone();
        let help = "Logins refused for an unknown user or a wrong password";
        registry.register("failed_logins", help, failed);
        let lockouts = self.lockouts.clone();
        registry.register("lockouts", "Lockouts of a user from an address", lockouts);
    }
}
