//! What is counted of requests. No user, agent, queue or address is in a label.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::queues::mirror::LATENCY_BOUNDS;

/// Counts of all requests since the start; they outlive a change of the
/// configuration.
#[derive(Debug)]
pub struct RequestMetrics {
    total: Family<Outcome, Counter>,
    duration: Family<Action, Histogram, fn() -> Histogram>,
    unknown_outcomes: Counter,
    pub(super) failed_logins: Counter,
    pub(super) lockouts: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    action: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Action {
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
    /// Counts a request: its action, where it had one that is known, and
    /// `success`, `partial` or the code of its error.
    pub(super) fn count(&self, action: Option<&'static str>, code: &'static str, seconds: f64) {
        let action = action.unwrap_or("none");
        self.total.get_or_create(&Outcome { action, code }).inc();
        let duration = self.duration.get_or_create(&Action { action });
        duration.observe(seconds);
    }

    /// Counts queues in which nobody knows whether a change has happened. Not among
    /// the requests: one that was done in another queue is `partial` there.
    pub(super) fn count_unknown(&self, queues: usize) {
        self.unknown_outcomes.inc_by(queues as u64);
    }

    /// Makes them known by their names.
    pub fn register(&self, registry: &mut Registry) {
        let total = self.total.clone();
        registry.register("requests", "RequestMetrics, by action and outcome", total);
        registry.register_with_unit(
            "request_duration",
            "Time from a request to its answer; of a stream, until it is open",
            Unit::Seconds,
            self.duration.clone(),
        );
        let unknown = self.unknown_outcomes.clone();
        let help = "Changes, each queue by itself, that were sent and not answered";
        registry.register("unknown_outcomes", help, unknown);
        let failed = self.failed_logins.clone();
        let help = "Logins refused for an unknown user or a wrong password";
        registry.register("failed_logins", help, failed);
        let lockouts = self.lockouts.clone();
        registry.register("lockouts", "Users locked out from an address", lockouts);
    }
}
