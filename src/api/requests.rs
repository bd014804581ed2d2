//! What is counted of requests. No user, agent, queue or address is in a label.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Counts of all requests since the start; they outlive a change of the
/// configuration.
#[derive(Debug)]
pub struct Requests {
    total: Family<Outcome, Counter>,
    duration: Family<Action, Histogram, fn() -> Histogram>,
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

/// From an answer out of memory to one that Asterisk does not give in time.
const SECONDS: [f64; 10] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0,
];

/// The actions that can end with nobody knowing whether they have happened.
const CHANGES: [&str; 4] = ["pause", "unpause", "add", "remove"];

impl Default for Requests {
    fn default() -> Self {
        let total = Family::<Outcome, Counter>::default();
        // There from the start: the first one is what an alert waits for, and a
        // series that begins with one has not increased.
        for action in CHANGES {
            let code = "outcome_unknown";
            drop(total.get_or_create(&Outcome { action, code }));
        }
        Self {
            total,
            duration: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            failed_logins: Counter::default(),
            lockouts: Counter::default(),
        }
    }
}

impl Requests {
    /// Counts a request: its action, where it had one that is known, and
    /// `success`, `partial` or the code of its error.
    pub(super) fn count(&self, action: Option<&'static str>, code: &'static str, seconds: f64) {
        let action = action.unwrap_or("none");
        self.total.get_or_create(&Outcome { action, code }).inc();
        let duration = self.duration.get_or_create(&Action { action });
        duration.observe(seconds);
    }

    /// Makes them known by their names.
    pub fn register(&self, registry: &mut Registry) {
        let total = self.total.clone();
        registry.register("requests", "Requests, by action and outcome", total);
        registry.register_with_unit(
            "request_duration",
            "Time from a request to its answer; of a stream, until it is open",
            Unit::Seconds,
            self.duration.clone(),
        );
        let failed = self.failed_logins.clone();
        let help = "Logins refused for an unknown user or a wrong password";
        registry.register("failed_logins", help, failed);
        let lockouts = self.lockouts.clone();
        registry.register("lockouts", "Users locked out from an address", lockouts);
    }
}
