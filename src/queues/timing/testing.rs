//! An organization's rules for unit tests.

use super::TimingRules;
use crate::queues::{PauseReason, ReasonCatalog};

/// `Lunch` ends after 60 s, and `Break` has a limit of 30 s. The queue `sales` has a wrap-up
/// time of 10 s, and `support` one of 20 s.
#[derive(Debug)]
pub(in crate::queues) struct TestRules(ReasonCatalog);

impl TimingRules for TestRules {
    fn organization(&self) -> &str {
        "acme"
    }
    fn has_queue(&self, _: &str) -> bool {
        true
    }
    fn has_interface(&self, interface: &str) -> bool {
        interface.starts_with("PJSIP/")
    }
    fn wrapup_seconds(&self, queue: &str) -> u64 {
        match queue {
            "sales" => 10,
            "support" => 20,
            _ => 0,
        }
    }
    fn longest_wrapup_seconds(&self) -> u64 {
        20
    }
    fn reason(&self, name: &str) -> Option<&PauseReason> {
        self.0.find(name)
    }
}

pub(in crate::queues) fn test_rules() -> TestRules {
    let reason = |name: &str, limit_seconds, ends| PauseReason {
        name: name.to_owned(),
        limit_seconds,
        ends,
    };
    TestRules(ReasonCatalog::new([
        reason("Lunch", Some(60), true),
        reason("Break", Some(30), false),
        reason("Office", None, false),
    ]))
}
