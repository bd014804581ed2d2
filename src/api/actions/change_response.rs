//! Builds the response to a change: for one agent with a row for each queue, for several agents
//! with an entry for each agent.

use serde::Serialize;

use super::action::Context;
use super::agent_changes::AgentChange;
use crate::api::audit::{AuditFields, AuditRow};
use crate::api::changes::{Row, RowResult};
use crate::api::errors::{ApiError, Code};
use crate::api::json::{to_json, unix_millis_timestamp};
use crate::api::response::{AgentView, ChangeViews, Response, RowView};

/// The request parameters that the response repeats.
pub(super) struct ChangeFields<'a> {
    /// Only `add` has an alias. Only the response for one agent repeats it.
    pub(super) alias: Option<&'a str>,
    /// `Some(None)` is written as `null`; `None` leaves the field out.
    pub(super) reason: Option<Option<&'a str>>,
}

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    action: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Option<&'a str>>,
    #[serde(flatten)]
    views: ChangeViews<'a>,
}

/// The overall result of a change.
#[derive(Debug, Clone, Copy)]
enum Outcome<'a> {
    Success,
    /// The change has failed in some queues.
    Partial,
    Failed(&'a ApiError),
}

/// Builds the response: `success`, `partial`, or an error if everything has failed.
///
/// # Errors
/// Returns the error of the only agent, if there are no rows for that agent.
pub(super) fn change_response(
    context: &Context<'_>,
    fields: ChangeFields<'_>,
    changes: &[AgentChange],
) -> Result<Response, ApiError> {
    let request_id = context.tenant.request_id;
    let (agent, outcome, views) = match changes {
        [AgentChange { agent, result }] => {
            let rows = result.as_ref().map_err(Clone::clone)?;
            let views = ChangeViews::Queues(rows.iter().map(row_view).collect());
            (Some(&**agent), outcome_of(rows), views)
        }
        several => {
            let views = ChangeViews::Agents(several.iter().map(agent_view).collect());
            (None, overall_outcome(several), views)
        }
    };
    let response = match outcome {
        Outcome::Failed(error) => Response::error_with_views(error, request_id, views),
        Outcome::Success | Outcome::Partial => {
            let status = outcome.status();
            let body = Body {
                status,
                action: context.action.name,
                request_id,
                agent,
                alias: fields.alias,
                reason: fields.reason,
                views,
            };
            Response::ok(status, to_json(&body))
        }
    };
    Ok(response.with_change(audit_fields(changes)))
}

impl Outcome<'_> {
    fn status(&self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Partial => "partial",
            Self::Failed(_) => "error",
        }
    }
}

impl AgentChange {
    fn outcome(&self) -> Outcome<'_> {
        match &self.result {
            Ok(rows) => outcome_of(rows),
            Err(error) => Outcome::Failed(error),
        }
    }
}

/// Returns the outcome for one agent.
fn outcome_of(rows: &[Row]) -> Outcome<'_> {
    let errors: Vec<&ApiError> = rows.iter().filter_map(error_of).collect();
    match representative_error(&errors) {
        None => Outcome::Success,
        Some(error) if errors.len() == rows.len() => Outcome::Failed(error),
        Some(_) => Outcome::Partial,
    }
}

/// Returns the outcome for several agents. If the change has failed for all of them, reports the
/// error of the first one.
fn overall_outcome(changes: &[AgentChange]) -> Outcome<'_> {
    let mut outcomes = changes.iter().map(AgentChange::outcome);
    let is_success = |outcome| matches!(outcome, Outcome::Success);
    let is_failed = |outcome| matches!(outcome, Outcome::Failed(_));
    if outcomes.clone().all(is_success) {
        Outcome::Success
    } else if outcomes.clone().all(is_failed) {
        outcomes.next().unwrap_or(Outcome::Success)
    } else {
        Outcome::Partial
    }
}

/// Chooses the error to report if every row has failed. Prefers an unknown outcome, because the
/// client has to check what happened. Otherwise prefers an error that a retry may resolve.
fn representative_error<'a>(errors: &[&'a ApiError]) -> Option<&'a ApiError> {
    let unknown = errors.iter().find(|error| is_unknown(error));
    let retryable = || errors.iter().find(|error| error.retry_after.is_some());
    unknown.or_else(retryable).or(errors.first()).copied()
}

fn is_unknown(error: &ApiError) -> bool {
    error.code == Code::OutcomeUnknown
}

fn error_of(row: &Row) -> Option<&ApiError> {
    row.result.as_ref().err()
}

fn agent_view(change: &AgentChange) -> AgentView<'_> {
    let outcome = change.outcome();
    let error = match outcome {
        Outcome::Failed(error) => Some(error),
        Outcome::Success | Outcome::Partial => None,
    };
    let rows = change.result.as_deref().unwrap_or_default();
    AgentView {
        agent: &change.agent,
        status: outcome.status(),
        code: error.map(|error| error.code.as_str()),
        message: error.map(|error| error.message.as_str()),
        queues: rows.iter().map(row_view).collect(),
    }
}

fn row_view(row: &Row) -> RowView<'_> {
    let error = error_of(row);
    let ends_at = match &row.result {
        Ok(RowResult::Changed { ends_at }) => *ends_at,
        Ok(RowResult::Kept) | Err(_) => None,
    };
    RowView {
        queue: &row.queue,
        result: if error.is_some() { "error" } else { "ok" },
        kept: matches!(row.result, Ok(RowResult::Kept)),
        ends_at: ends_at.and_then(unix_millis_timestamp),
        code: error.map(|error| error.code.as_str()),
        message: error.map(|error| error.message.as_str()),
    }
}

/// Returns an audit row for each agent and queue, and one for each agent without rows.
fn audit_fields(changes: &[AgentChange]) -> AuditFields {
    let mut rows = Vec::new();
    for AgentChange { agent, result } in changes {
        match result {
            Ok(queues) => rows.extend(queues.iter().map(|row| AuditRow {
                agent: agent.clone(),
                queue: Some(row.queue.clone()),
                outcome: error_of(row).map_or("success", |error| error.code.as_str()),
                is_kept: matches!(row.result, Ok(RowResult::Kept)),
            })),
            Err(error) => rows.push(AuditRow::refused(agent, error.code)),
        }
    }
    let unknown = Code::OutcomeUnknown.as_str();
    let unknown_outcomes = rows.iter().filter(|row| row.outcome == unknown).count();
    AuditFields {
        unknown_outcomes,
        rows,
    }
}
