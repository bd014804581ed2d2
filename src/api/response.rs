//! A response: its status and JSON, and its fields for the log.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::audit::AuditFields;
use super::entity_tag::EntityTag;
use super::errors::{ApiError, Challenge};
use super::json::{timestamp, to_json};
use super::tenant::ReadState;

/// An API response, independent of HTTP.
#[derive(Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The body, in pieces.
    pub body: Vec<Bytes>,
    /// Value of the `ETag` header.
    pub entity_tag: Option<EntityTag>,
    /// The format of the body.
    pub format: BodyFormat,
    /// Value of the `Retry-After` header.
    pub retry_after: Option<Duration>,
    /// The scheme in the `WWW-Authenticate` header of a response with status 401.
    pub challenge: Challenge,
    /// `success`, `partial` or an error code, for the log and the metrics.
    pub outcome: &'static str,
    /// Whether the client has authenticated.
    pub is_authenticated: bool,
    /// The fields for the audit log, if the request is a change.
    pub(super) change: AuditFields,
}

/// The format of a response's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// JSON.
    Json,
    /// Comma-separated values (RFC 4180).
    Csv,
}

/// The fields with which every successful read response begins.
#[derive(Serialize)]
pub(super) struct ReadHead {
    status: &'static str,
    action: &'static str,
    request_id: String,
    as_of: String,
    stale: bool,
}

impl ReadHead {
    pub(super) fn new(action: &'static str, request_id: &str, read: ReadState) -> Self {
        Self {
            status: "success",
            action,
            request_id: request_id.to_owned(),
            as_of: timestamp(read.as_of),
            stale: read.stale,
        }
    }
}

/// A queue's row in a change response.
#[derive(Serialize)]
pub(super) struct RowView<'a> {
    pub(super) queue: &'a str,
    pub(super) result: &'static str,
    /// Whether the member was already paused, so that nothing was sent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) kept: bool,
    /// When the bridge ends the pause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ends_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<&'a str>,
}

/// An agent's entry in the response to a change for several agents.
#[derive(Serialize)]
pub(super) struct AgentView<'a> {
    pub(super) agent: &'a str,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<&'a str>,
    pub(super) queues: Vec<RowView<'a>>,
}

/// The results of a change.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ChangeViews<'a> {
    /// The results for one agent.
    Queues(Vec<RowView<'a>>),
    /// The results for several agents.
    Agents(Vec<AgentView<'a>>),
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    status: &'static str,
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    request_id: &'a str,
    #[serde(flatten)]
    views: Option<ChangeViews<'a>>,
}

impl Response {
    /// Creates an error response.
    #[must_use]
    pub fn error(error: &ApiError, request_id: &str) -> Self {
        Self::error_body(error, request_id, None)
    }

    /// Creates the response to a change that failed for every agent and in every queue.
    pub(super) fn error_with_views(
        error: &ApiError,
        request_id: &str,
        views: ChangeViews<'_>,
    ) -> Self {
        Self::error_body(error, request_id, Some(views))
    }

    fn error_body(error: &ApiError, request_id: &str, views: Option<ChangeViews<'_>>) -> Self {
        let body = to_json(&ErrorBody {
            status: "error",
            code: error.code.as_str(),
            message: &error.message,
            parameter: error.parameter.as_deref(),
            request_id,
            views,
        });
        Self {
            status: error.code.status(),
            retry_after: error.retry_after,
            challenge: error.challenge,
            ..Self::ok(error.code.as_str(), body)
        }
    }

    /// Creates the response to a request that fully succeeded.
    pub(super) fn success(body: Vec<Bytes>) -> Self {
        Self::ok("success", body)
    }

    /// Creates the response to a client that already has the state with this entity tag.
    pub(super) fn not_modified(entity_tag: EntityTag) -> Self {
        Self {
            status: 304,
            entity_tag: Some(entity_tag),
            ..Self::success(Vec::new())
        }
    }

    /// Creates a response with HTTP status 200. `outcome` is `success` or `partial`.
    pub(super) fn ok(outcome: &'static str, body: Vec<Bytes>) -> Self {
        Self {
            status: 200,
            body,
            entity_tag: None,
            format: BodyFormat::Json,
            retry_after: None,
            challenge: Challenge::Basic,
            outcome,
            is_authenticated: false,
            change: AuditFields::default(),
        }
    }

    pub(super) fn with_change(self, change: AuditFields) -> Self {
        Self { change, ..self }
    }
}
