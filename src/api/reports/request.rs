//! The checked parameters of `showreport`.

use std::sync::Arc;

use jiff::civil::Date;

use crate::organizations::Account;
use crate::report::{Days, Grouping};

/// A checked request for a report.
#[derive(Debug, Clone)]
pub(in crate::api) struct ReportRequest {
    pub(in crate::api) action: &'static str,
    pub(in crate::api) request_id: String,
    pub(in crate::api) account: Arc<Account>,
    /// The first day.
    pub(in crate::api) from: Date,
    /// The last day.
    pub(in crate::api) to: Date,
    pub(in crate::api) days: Days,
    pub(in crate::api) by: Grouping,
    /// Phone numbers. `None` means all of the account's agents.
    pub(in crate::api) agents: Option<Vec<String>>,
    /// Queue numbers. `None` means all of the account's queues.
    pub(in crate::api) queues: Option<Vec<String>>,
    /// Those of `queues` that the PBX does not have now. They must have been recorded.
    pub(in crate::api) unlisted_queues: Vec<String>,
    pub(in crate::api) format: ReportFormat,
}

impl ReportRequest {
    /// Returns whether the report has callers. Agents' own reports have none.
    pub(in crate::api) fn has_callers(&self) -> bool {
        self.agents.is_none() && self.account.limits.agents.is_none()
    }
}

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum ReportFormat {
    Json,
    Csv,
}
