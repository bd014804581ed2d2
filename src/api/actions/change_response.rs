//! Builds the response to a change, with a row for each queue.

use serde::Serialize;

use super::action::Context;
use crate::api::changes::{Row, RowResult};
use crate::api::errors::{ApiError, Code};
use crate::api::json::{to_json, unix_millis_timestamp};
use crate::api::response::{AuditFields, Response, RowView};

/// The request parameters that the response repeats.
pub(super) struct ChangeFields<'a> {
    pub(super) agent: &'a str,
    /// Only `add` has an alias.
    pub(super) alias: Option<&'a str>,
    /// `Some(None)` is written as `null`; `None` leaves the field out.
    pub(super) reason: Option<Option<&'a str>>,
}

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    action: &'static str,
    request_id: &'a str,
    agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Option<&'a str>>,
    queues: Vec<RowView<'a>>,
}

/// Builds the response: `success`, `partial`, or an error if every row has failed.
pub(super) fn change_response(
    context: &Context<'_>,
    fields: ChangeFields<'_>,
    rows: &[Row],
) -> Response {
    let request_id = context.tenant.request_id;
    let views = rows.iter().map(row_view).collect();
    let errors: Vec<&ApiError> = rows.iter().filter_map(error_of).collect();
    let response = match representative_error(&errors) {
        Some(error) if errors.len() == rows.len() => {
            Response::error_with_rows(error, request_id, views)
        }
        error => {
            let status = if error.is_none() {
                "success"
            } else {
                "partial"
            };
            let body = Body {
                status,
                action: context.action.name,
                request_id,
                agent: fields.agent,
                alias: fields.alias,
                reason: fields.reason,
                queues: views,
            };
            Response::ok(status, to_json(&body))
        }
    };
    response.with_change(AuditFields {
        unknown_outcomes: errors.iter().filter(|error| is_unknown(error)).count(),
        results: results(rows),
    })
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

/// Formats the rows for the audit log: `6001=ok,6002=not_a_member`.
fn results(rows: &[Row]) -> String {
    let results = rows.iter().map(|row| {
        let result = match &row.result {
            Ok(RowResult::Changed { .. }) => "ok",
            Ok(RowResult::Kept) => "kept",
            Err(error) => error.code.as_str(),
        };
        format!("{}={result}", row.queue)
    });
    results.collect::<Vec<_>>().join(",")
}
