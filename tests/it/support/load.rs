//! Clients that change the PBX without pause, and the reckoning afterwards:
//! what the bridge answered, against what Asterisk logged.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{API_PATH, Bridge, KeepAliveConnection};

/// Clients at once.
const CLIENTS: usize = 32;

/// The connection ended without an answer, as it does when the bridge ends.
const UNANSWERED: &str = "unanswered";

/// What was answered to each change, by its unique reason.
#[derive(Default)]
pub(crate) struct Outcomes {
    outcomes: HashMap<String, String>,
}

/// The tally of a reckoning.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) success: usize,
    pub(crate) not_sent: usize,
    pub(crate) unknown: usize,
    /// Of those, how many Asterisk did log.
    pub(crate) unknown_and_logged: usize,
    pub(crate) unanswered: usize,
    /// Of those, how many Asterisk did log.
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
        self.outcomes.extend(other.outcomes);
    }

    pub(crate) fn record(&mut self, reason: String, outcome: String) {
        self.outcomes.insert(reason, outcome);
    }

    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Holds the answers against Asterisk's queue_log. Asterisk writes a line
    /// there before it answers.
    pub(crate) fn check_against_queue_log(&self, queue_log: &str) -> Tally {
        let mut logged: HashMap<&str, usize> = HashMap::new();
        for line in queue_log.lines().filter(|line| line.contains("PAUSE|")) {
            if let Some((_, reason)) = line.rsplit_once('|') {
                *logged.entry(reason).or_default() += 1;
            }
        }
        let mut tally = Tally::default();
        for (reason, outcome) in &self.outcomes {
            let times = logged.get(reason.as_str()).copied().unwrap_or(0);
            match outcome.as_str() {
                "200 success" => {
                    tally.success += 1;
                    assert_eq!(times, 1, "{reason} was acknowledged");
                }
                "503 pbx_unavailable" | "503 overloaded" => {
                    tally.not_sent += 1;
                    assert_eq!(times, 0, "{reason} was answered as not sent");
                }
                "504 outcome_unknown" => {
                    tally.unknown += 1;
                    tally.unknown_and_logged += times;
                    assert!(times <= 1, "{reason} was sent twice");
                }
                UNANSWERED => {
                    tally.unanswered += 1;
                    tally.unanswered_and_logged += times;
                    assert!(times <= 1, "{reason} was sent twice");
                }
                other => panic!("{reason}: {other}"),
            }
        }
        tally
    }
}

/// Sets what it holds, also when a panic ends its scope.
pub(crate) struct SetOnDrop<'a>(pub(crate) &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Lets clients change agents 1001 to 1032 of queue 6001 until `until` is done;
/// every change has a reason of its own.
pub(crate) fn run_load<R>(
    bridge: &Bridge,
    prefix: &str,
    until: impl FnOnce() -> R,
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
                            // As a client would that reads Retry-After, only sooner.
                            std::thread::sleep(std::time::Duration::from_millis(20));
                        }
                        outcomes.insert(reason, outcome);
                    }
                    outcomes
                })
            })
            .collect();
        let result = {
            // Also when it panics: the scope waits for the clients.
            let _end = SetOnDrop(done);
            until()
        };
        let mut answers = Outcomes::default();
        for client in clients {
            let outcomes = client.join().expect("a client");
            answers.outcomes.extend(outcomes);
        }
        (answers, result)
    })
}
