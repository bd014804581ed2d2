//! The audit log: a line for each agent and queue that a request changes.

use std::net::IpAddr;

use tokio::task::yield_now;
use tracing::info;

use super::errors::Code;
use crate::organizations::Account;

/// The number of lines after which a request lets other requests run. A request with many agents
/// and queues writes thousands of lines.
const LINES_AT_ONCE: usize = 50;

/// The results of a change, for the audit log and the metrics.
#[derive(Debug, Default)]
pub(super) struct AuditFields {
    /// Number of queues in which the change may or may not have happened.
    pub(super) unknown_outcomes: usize,
    /// The result for each agent and queue. Empty if the whole request was refused.
    pub(super) rows: Vec<AuditRow>,
}

/// A change's result, for one line of the audit log.
#[derive(Debug)]
pub(super) struct AuditRow {
    pub(super) agent: String,
    /// The queue's number in the organization. `None` if the change was refused for all queues
    /// together.
    pub(super) queue: Option<String>,
    /// `success` or an error code.
    pub(super) outcome: &'static str,
    /// Whether the member was already paused, so that nothing was sent.
    pub(super) is_kept: bool,
}

impl AuditRow {
    /// Returns the row of an agent for whom the change was refused in all queues together.
    pub(super) fn refused(agent: &str, code: Code) -> Self {
        Self {
            agent: agent.to_owned(),
            queue: None,
            outcome: code.as_str(),
            is_kept: false,
        }
    }
}

impl AuditFields {
    /// Returns the fields of a request that was refused for all agents together.
    pub(super) fn refused(agents: &[String], code: Code) -> Self {
        let rows = agents.iter().map(|agent| AuditRow::refused(agent, code));
        Self {
            unknown_outcomes: usize::from(code == Code::OutcomeUnknown),
            rows: rows.collect(),
        }
    }
}

/// The fields that all audit lines of a request share.
pub(super) struct AuditedRequest<'a> {
    pub(super) request_id: &'a str,
    pub(super) client: IpAddr,
    pub(super) account: Option<&'a Account>,
    pub(super) action: Option<&'static str>,
    /// The queues as the request names them.
    pub(super) queues: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
    pub(super) duration_seconds: Option<u64>,
}

impl AuditedRequest<'_> {
    /// Writes a line for each row.
    pub(super) async fn log(&self, rows: &[AuditRow]) {
        for lines in rows.chunks(LINES_AT_ONCE) {
            for row in lines {
                self.log_row(row);
            }
            if lines.len() == LINES_AT_ONCE {
                yield_now().await;
            }
        }
    }

    fn log_row(&self, row: &AuditRow) {
        let organization = self.account.map(|account| &account.organization);
        info!(
            target: "audit",
            request_id = self.request_id,
            client = %self.client,
            pbx = organization.map(|organization| &*organization.pbx),
            organization = organization.map(|organization| &*organization.name),
            user = self.account.map(|account| &*account.name),
            action = self.action,
            agent = row.agent,
            queue = row.queue.as_deref().or(self.queues),
            outcome = row.outcome,
            kept = row.is_kept.then_some(true),
            reason = self.reason,
            duration_seconds = self.duration_seconds,
            "change"
        );
    }
}
