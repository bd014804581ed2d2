//! The types that all actions share.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::json::MemberJsonCache;
use crate::api::response::Response;
use crate::api::tenant::Tenant;
use crate::api::views::ViewCache;
use crate::organizations::Account;
use crate::report::Recordings;

/// An action of the API.
#[derive(Debug)]
pub(in crate::api) struct Action {
    /// The action's name, in lower case.
    pub(in crate::api) name: &'static str,
    /// Whether the action changes the PBX. Changes are logged in the audit log.
    pub(in crate::api) is_change: bool,
    /// Whether only accounts that list the action may perform it. If not, every account may.
    pub(in crate::api) needs_permission: bool,
    /// Parses the action's parameters and checks them against the organization's pause reasons.
    /// Ignores parameters that the action doesn't use.
    pub(in crate::api) parse: fn(&Form, &Account) -> ParseResult,
}

impl Action {
    /// Returns the permission that the action needs.
    pub(in crate::api) fn permission(&self) -> Option<&'static str> {
        self.needs_permission.then_some(self.name)
    }
}

/// The parsed parameters of an action, or the error if a parameter is not valid.
pub(in crate::api) type ParseResult = Result<Box<dyn Command>, ApiError>;

/// An action with its parsed parameters. `run` checks that the agent and the queues belong to
/// the organization.
pub(in crate::api) trait Command: Debug + Send + Sync {
    /// Returns the parameters to log.
    fn logged(&self) -> LoggedParameters;

    /// Runs the action and builds its response.
    ///
    /// # Errors
    /// Returns any [`ApiError`]. `outcome_unknown` means that a change may or may not have
    /// happened.
    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>>;
}

/// Everything that an action needs to run.
pub(in crate::api) struct Context<'a> {
    pub(in crate::api) action: &'static Action,
    pub(in crate::api) tenant: Tenant<'a>,
    /// When the request arrived, in Unix milliseconds.
    pub(in crate::api) arrived_at: i64,
    pub(in crate::api) member_json: &'a Arc<MemberJsonCache>,
    pub(in crate::api) views: &'a ViewCache,
    /// See [`crate::api::ApiRequest::if_none_match`].
    pub(in crate::api) if_none_match: Option<&'a str>,
    pub(in crate::api) recordings: &'a Recordings,
}

impl Context<'_> {
    /// Returns the end of a pause with this duration, in Unix milliseconds. The duration begins
    /// when the request arrives.
    pub(in crate::api) fn pause_end(&self, duration_seconds: Option<u64>) -> Option<i64> {
        let millis = i64::try_from(duration_seconds?).ok()?.saturating_mul(1000);
        Some(self.arrived_at.saturating_add(millis))
    }
}

/// The parameters in a request's log line.
#[derive(Debug, Default)]
pub struct LoggedParameters {
    /// Phone numbers.
    pub agents: Vec<String>,
    /// Queue numbers.
    pub queues: Option<Vec<String>>,
    /// Pause reason.
    pub reason: Option<String>,
    /// After how many seconds the bridge ends the pause.
    pub duration_seconds: Option<u64>,
}
