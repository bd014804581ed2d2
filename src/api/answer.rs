//! From what came of a command to status and JSON.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::command::{ActionName, Command};
use super::error::{ApiError, Code};
use super::execute::{Outcome, Row};
use super::views::{Figures, Head, QueueView, QueuesView, StateView, Total, moment};
use crate::organizations::Organization;

/// What is sent to a client.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
    /// For the `Retry-After` header.
    pub retry_after: Option<Duration>,
    /// `success`, `partial`, or the code of the error: for the log.
    pub outcome: &'static str,
    /// What came of each queue of a change, as `6001=ok,6002=not_a_member`.
    pub results: String,
}

impl Answer {
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
            results: String::new(),
        }
    }

    fn ok(outcome: &'static str, body: Vec<u8>) -> Self {
        Self {
            status: 200,
            body,
            retry_after: None,
            outcome,
            results: String::new(),
        }
    }

    /// The answer to a command that was carried out, in whole or in part.
    #[must_use]
    pub(super) fn of(
        action: ActionName,
        command: &Command,
        organization: &Organization,
        outcome: &Outcome,
        request_id: &str,
    ) -> Self {
        let head = |as_of: &SystemTime| Head {
            status: "success",
            action: action.as_str(),
            request_id,
            as_of: moment(*as_of),
            stale: false,
        };
        match outcome {
            Outcome::Changed(rows) => Self {
                results: results(rows),
                ..changed(action, command, rows, request_id)
            },
            Outcome::Queues(queues, as_of) if action == ActionName::ShowQueueStat => {
                let figures: Vec<_> = queues.iter().map(Figures::of).collect();
                Self::ok(
                    "success",
                    json(&QueuesView {
                        head: head(as_of),
                        total: Some(Total::of(&figures)),
                        queues: figures,
                    }),
                )
            }
            Outcome::Queues(queues, as_of) => Self::ok(
                "success",
                json(&QueuesView {
                    head: head(as_of),
                    queues: queues
                        .iter()
                        .map(|own| QueueView::of(own, organization))
                        .collect(),
                    total: None,
                }),
            ),
            Outcome::Memberships(memberships, as_of) => {
                let agent = command.agent().unwrap_or_default();
                let view = StateView::of(head(as_of), agent, memberships, organization);
                Self::ok("success", json(&view))
            }
        }
    }
}

fn json(view: &impl Serialize) -> Vec<u8> {
    // Nothing here has a map with keys that are no strings, or fails otherwise.
    serde_json::to_vec(view).unwrap_or_default()
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

fn changed(action: ActionName, command: &Command, rows: &[Row], request_id: &str) -> Answer {
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
        // Where all have failed, the doubtful one is the one to know of.
        errors => {
            let doubt = errors.iter().find(|e| e.code == Code::OutcomeUnknown);
            return Answer::refusal(doubt.unwrap_or(&errors[0]), request_id, Some(views));
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
    Answer::ok(status, json(&view))
}
