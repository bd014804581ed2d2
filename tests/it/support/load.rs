//! Clients that send changes continuously, and a check of the bridge's responses against
//! Asterisk's `queue_log`.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{API_PATH, Bridge, KeepAliveConnection};

/// The number of concurrent clients.
const CLIENTS: usize = 32;

/// The outcome of a request whose connection was closed without a response, for example
/// because the bridge exited.
const UNANSWERED: &str = "unanswered";

/// The outcomes of all changes. Each change has a unique pause reason, which is its key.
#[derive(Default)]
pub(crate) struct Outcomes {
    by_reason: HashMap<String, String>,
}

/// The number of changes per outcome.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) success: usize,
    pub(crate) not_sent: usize,
    pub(crate) unknown: usize,
    /// The `unknown` changes that Asterisk logged.
    pub(crate) unknown_and_logged: usize,
    pub(crate) unanswered: usize,
    /// The `unanswered` changes that Asterisk logged.
    pub(crate) unanswered_and_logged: usize,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.success += other.success;
        self.not_sent += other.not_sent;
        self.unknown += other.unknown;
        self.unknown_and_logged += other.unknown_and_logged;
        self.unanswered += other.unanswered;
        self.unanswered_and_logged += other.unanswered_and_logged;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} success (all logged once), {} not sent (none logged), {} unknown ({} logged), \
             {} unanswered",
            self.success, self.not_sent, self.unknown, self.unknown_and_logged, self.unanswered
        )
    }
}

impl Outcomes {
    pub(crate) fn merge(&mut self, other: Self) {
        self.by_reason.extend(other.by_reason);
    }

    pub(crate) fn record(&mut self, reason: String, outcome: String) {
        self.by_reason.insert(reason, outcome);
    }

    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Checks the outcomes against `queue_log` and counts them. An acknowledged change must
    /// be logged once, an unsent change never, and any other change at most once. Asterisk
    /// logs a change before it replies to the action.
    pub(crate) fn check_against_queue_log(&self, queue_log: &str) -> Tally {
        let mut logged: HashMap<&str, usize> = HashMap::new();
        for line in queue_log.lines().filter(|line| line.contains("PAUSE|")) {
            if let Some((_, reason)) = line.rsplit_once('|') {
                *logged.entry(reason).or_default() += 1;
            }
        }
        let mut tally = Tally::default();
        for (reason, outcome) in &self.by_reason {
            let log_count = logged.get(reason.as_str()).copied().unwrap_or(0);
            match outcome.as_str() {
                "200 success" => {
                    tally.success += 1;
                    assert_eq!(
                        log_count, 1,
                        "{reason} was acknowledged, but is not in queue_log exactly once"
                    );
                }
                "503 pbx_unavailable" | "503 overloaded" => {
                    tally.not_sent += 1;
                    assert_eq!(
                        log_count, 0,
                        "{reason} was reported as not sent, but is in queue_log"
                    );
                }
                "504 outcome_unknown" => {
                    tally.unknown += 1;
                    tally.unknown_and_logged += log_count;
                    assert!(log_count <= 1, "{reason} was executed twice");
                }
                UNANSWERED => {
                    tally.unanswered += 1;
                    tally.unanswered_and_logged += log_count;
                    assert!(log_count <= 1, "{reason} was executed twice");
                }
                _ => panic!("{reason} has the unexpected outcome {outcome}"),
            }
        }
        tally
    }
}

/// Dropping this sets the flag to true, even during a panic.
pub(crate) struct SetOnDrop<'a>(pub(crate) &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` while 32 clients pause and unpause agents 1001 to 1032 in queue 6001. Each
/// change has a unique reason that starts with `prefix`. Returns the outcomes of the changes
/// and the result of `work`.
pub(crate) fn run_load<R>(
    bridge: &Bridge,
    prefix: &str,
    work: impl FnOnce() -> R,
) -> (Outcomes, R) {
    let done = AtomicBool::new(false);
    let (done, address) = (&done, bridge.address);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || {
                    let mut outcomes = HashMap::new();
                    let mut connection = KeepAliveConnection::new(address);
                    for round in 0.. {
                        if done.load(Ordering::Relaxed) {
                            break;
                        }
                        let action = ["pause", "unpause"][round % 2];
                        let reason = format!("{prefix}-{client}-{round}");
                        let query = format!(
                            "username=acme%40example.com&password=acme-password\
                             &action={action}&agent={}&queue=6001&reason={reason}",
                            1001 + client
                        );
                        let target = format!("{API_PATH}?{query}");
                        let outcome = match connection.get(&target) {
                            Ok(response) => response.outcome(),
                            Err(_) => UNANSWERED.to_owned(),
                        };
                        if outcome.starts_with("503") || outcome == UNANSWERED {
                            // A real client would wait for the time in `Retry-After`, which is longer.
                            std::thread::sleep(std::time::Duration::from_millis(100));
                        }
                        outcomes.insert(reason, outcome);
                    }
                    outcomes
                })
            })
            .collect();
        let result = {
            // Stops the clients even if `work` panics. Otherwise the scope would wait for them
            // forever.
            let _stop_clients = SetOnDrop(done);
            work()
        };
        let mut all = Outcomes::default();
        for client in clients {
            let outcomes = client.join().expect("no panic in a client thread");
            all.by_reason.extend(outcomes);
        }
        (all, result)
    })
}
