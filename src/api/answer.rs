//! From what came of a command to status and JSON.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::task::spawn_blocking;

use super::command::{ActionName, Command};
use super::error::{ApiError, Code};
use super::execute::{Outcome, Row};
use super::member_json::{Json, MemberJsonCache};
use super::statistics::{Figures, Total};
use super::tenant::{OwnQueue, Seen};
use super::views::{Head, QueueHead, StateView, callers, moment};
use crate::organizations::Organization;

/// What is sent to a client.
#[derive(Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// JSON, in pieces.
    pub body: Vec<Bytes>,
    /// For the `Retry-After` header.
    pub retry_after: Option<Duration>,
    /// `success`, `partial`, or the code of the error: for the log.
    pub outcome: &'static str,
    /// Queues in which nobody knows whether the change has happened.
    pub unknown: usize,
    /// Whether the client has shown who it is.
    pub is_known: bool,
    /// What came of each queue of a change, as `6001=ok,6002=not_a_member`.
    pub results: String,
}

impl Response {
    /// A refusal.
    #[must_use]
    pub fn error(error: &ApiError, request_id: &str) -> Self {
        Self::refusal(error, request_id, None)
    }

    fn refusal(error: &ApiError, request_id: &str, queues: Option<Vec<RowView<'_>>>) -> Self {
        #[derive(Serialize)]
        struct View<'a> {
            status: &'static str,
            code: &'static str,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            parameter: Option<&'a str>,
            request_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            queues: Option<Vec<RowView<'a>>>,
        }
        Self {
            status: error.code.status(),
            body: json(&View {
                status: "error",
                code: error.code.as_str(),
                message: &error.message,
                parameter: error.parameter.as_deref(),
                request_id,
                queues,
            }),
            retry_after: error.retry_after,
            outcome: error.code.as_str(),
            unknown: 0,
            is_known: false,
            results: String::new(),
        }
    }

    pub(super) fn ok(outcome: &'static str, body: Vec<Bytes>) -> Self {
        Self {
            status: 200,
            body,
            retry_after: None,
            outcome,
            unknown: 0,
            is_known: false,
            results: String::new(),
        }
    }

    /// The answer to a command that was carried out, in whole or in part.
    #[must_use]
    pub(super) fn of(
        action: ActionName,
        command: &Command,
        organization: &Arc<Organization>,
        outcome: &Outcome,
        request_id: &str,
        kept: &MemberJsonCache,
    ) -> Self {
        let head = |seen: &Seen| Head {
            status: "success",
            action: action.as_str(),
            request_id,
            as_of: moment(seen.as_of),
            stale: seen.stale,
        };
        match outcome {
            Outcome::Changed(rows) => Self {
                unknown: unknown(rows),
                results: results(rows),
                ..changed(action, command, rows, request_id)
            },
            Outcome::Queues(queues, seen) => {
                let mut body = Json::default();
                body.raw("{");
                body.fields(&head(seen));
                body.raw(",\"queues\":");
                if action == ActionName::ShowQueueStat {
                    let figures: Vec<_> = queues.iter().map(Figures::of).collect();
                    body.value(&figures);
                    body.raw(",\"total\":");
                    body.value(&Total::of(&figures));
                } else {
                    list(&mut body, queues, organization, kept);
                }
                body.raw("}");
                Self::ok("success", body.into_pieces())
            }
            Outcome::Memberships(memberships, seen) => {
                let agent = command.agent().unwrap_or_default();
                let view = StateView::of(head(seen), agent, memberships, organization);
                Self::ok("success", json(&view))
            }
        }
    }
}

/// Writes JSON; where it is large, away from the threads that others, and the links,
/// need now.
pub(super) async fn written<T: Send + 'static>(
    is_large: bool,
    write: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    if !is_large {
        return Ok(write());
    }
    spawn_blocking(write).await.map_err(|_| {
        // Only reads are large.
        let message = "The bridge has failed to write its answer. Nothing was changed.";
        ApiError::retry(Code::Overloaded, Duration::from_secs(1), message)
    })
}

/// Queues with members and callers, as a JSON array.
pub(super) fn list(
    json: &mut Json,
    queues: &[OwnQueue],
    organization: &Arc<Organization>,
    kept: &MemberJsonCache,
) {
    json.raw("[");
    for (place, own) in queues.iter().enumerate() {
        json.raw(if place == 0 { "{" } else { ",{" });
        json.fields(&QueueHead::of(own));
        json.raw(",\"members\":");
        json.part(&kept.members(&own.queue, organization));
        json.raw(",\"callers\":");
        json.value(&callers(&own.queue));
        json.raw("}");
    }
    json.raw("]");
}

fn json(view: &impl Serialize) -> Vec<Bytes> {
    let mut json = Json::default();
    json.value(view);
    json.into_pieces()
}

#[derive(Serialize)]
struct RowView<'a> {
    queue: &'a str,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

fn results(rows: &[Row]) -> String {
    let results = rows.iter().map(|row| {
        let result = row
            .result
            .as_ref()
            .map_or_else(|error| error.code.as_str(), |()| "ok");
        format!("{}={result}", row.queue)
    });
    results.collect::<Vec<_>>().join(",")
}

fn unknown(rows: &[Row]) -> usize {
    let errors = rows.iter().filter_map(|row| row.result.as_ref().err());
    errors
        .filter(|error| error.code == Code::OutcomeUnknown)
        .count()
}

fn changed(action: ActionName, command: &Command, rows: &[Row], request_id: &str) -> Response {
    #[derive(Serialize)]
    struct View<'a> {
        status: &'static str,
        action: &'static str,
        request_id: &'a str,
        agent: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        alias: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Option<&'a str>>,
        queues: Vec<RowView<'a>>,
    }
    let views = rows
        .iter()
        .map(|row| {
            let error = row.result.as_ref().err();
            RowView {
                queue: &row.queue,
                result: if error.is_some() { "error" } else { "ok" },
                code: error.map(|error| error.code.as_str()),
                message: error.map(|error| error.message.as_str()),
            }
        })
        .collect();
    let errors: Vec<&ApiError> = rows
        .iter()
        .filter_map(|row| row.result.as_ref().err())
        .collect();
    let status = match errors.as_slice() {
        [] => "success",
        errors if errors.len() < rows.len() => "partial",
        // Where all have failed, the doubtful one is the one to know of, and then one
        // that trying again can mend.
        errors => {
            let find = |is: fn(&ApiError) -> bool| errors.iter().find(|error| is(error));
            let doubt = find(|error| error.code == Code::OutcomeUnknown);
            let passing = find(|error| error.retry_after.is_some());
            let error = doubt.or(passing).unwrap_or(&errors[0]);
            return Response::refusal(error, request_id, Some(views));
        }
    };
    let (alias, reason) = match command {
        Command::Pause { reason, .. } => (None, Some(reason.as_deref())),
        Command::Add { alias, reason, .. } => (Some(alias.as_str()), Some(reason.as_deref())),
        _ => (None, None),
    };
    let view = View {
        status,
        action: action.as_str(),
        request_id,
        agent: command.agent(),
        alias,
        reason,
        queues: views,
    };
    Response::ok(status, json(&view))
}
