//! The day's work. Asterisk's `queue_log` is the judge: a small reader computes every sum from it.

mod comparison;
mod judge;
mod late_events;
mod organization;
mod queue_log;
mod request;
mod restarts;
mod storage;

use serde_json::Value;

use crate::support::{Bridge, eventually};

/// Returns the row about agent 1001, once it has something.
fn row_when(bridge: &Bridge, what: &str, has: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || {
        let report = bridge.acme_ok("action=showreport&agent=1001");
        let row = &report["rows"][0];
        has(row).then(|| row.clone())
    })
}
