//! The actions of the interface, one file each: its parameters, its checks, what it does
//! on the PBX, and its response.
//!
//! To add an action, write its file and add it to [`ACTIONS`].

mod add;
mod change_response;
mod pause;
mod remove;
mod show_queue;
mod show_queue_stat;
mod show_state;

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::errors::{ApiError, Code};
use super::form::Form;
use super::json::MemberJsonCache;
use super::response::Response;
use super::tenant::Tenant;

/// Every action of the interface, in the order in which error messages list them.
const ACTIONS: [&Action; 7] = [
    &pause::PAUSE,
    &pause::UNPAUSE,
    &add::ADD,
    &remove::REMOVE,
    &show_queue::SHOW_QUEUE,
    &show_queue_stat::SHOW_QUEUE_STAT,
    &show_state::SHOW_STATE,
];

/// An action of the interface.
#[derive(Debug)]
pub(super) struct Action {
    /// The action's name, in lower case.
    pub(super) name: &'static str,
    /// Whether the action changes the PBX. If so, it has a line in the audit log.
    pub(super) is_change: bool,
    /// Checks the action's parameters. Parameters that the action doesn't use are ignored.
    pub(super) parse: fn(&Form) -> Result<Box<dyn Command>, ApiError>,
}

impl Action {
    /// Finds the action that the request names, in upper or lower case.
    ///
    /// # Errors
    /// `missing_parameter` or `unknown_action`.
    pub(super) fn from_form(form: &Form) -> Result<&'static Self, ApiError> {
        let given = form.identity("action")?;
        let mut actions = ACTIONS.into_iter();
        actions
            .find(|action| action.name.eq_ignore_ascii_case(given))
            .ok_or_else(|| {
                let known = ACTIONS.map(|action| action.name).join(", ");
                let message = format!("The action must be one of {known}.");
                ApiError::parameter(Code::UnknownAction, "action", message)
            })
    }
}

/// An action with checked parameters. Whether its agent and queues belong to the
/// organization is checked when it runs.
pub(super) trait Command: Debug + Send + Sync {
    /// The parameters that appear in the log.
    fn logged(&self) -> LoggedParameters;

    /// Runs the action and builds its response.
    ///
    /// # Errors
    /// Any [`ApiError`]. A change of which nobody knows whether it happened is
    /// `outcome_unknown`.
    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>>;
}

/// What an action needs to run.
pub(super) struct Context<'a> {
    pub(super) action: &'static Action,
    pub(super) tenant: Tenant<'a>,
    pub(super) member_json: &'a Arc<MemberJsonCache>,
}

/// Checked parameters, as the log shows them.
#[derive(Debug, Default)]
pub struct LoggedParameters {
    /// Phone number.
    pub agent: Option<String>,
    /// Queue numbers.
    pub queues: Option<Vec<String>>,
    /// Pause reason.
    pub reason: Option<String>,
}

/// Checks the form of a query string and the parameters of its action, as every request
/// does first. Returns the logged parameters, and all parameters in debug format. For the
/// fuzz target.
///
/// # Errors
/// Those with status 400.
pub fn check_query(query: &str) -> Result<(LoggedParameters, String), ApiError> {
    let form = Form::parse(&[query], true)?;
    let command = (Action::from_form(&form)?.parse)(&form)?;
    Ok((command.logged(), format!("{command:?}")))
}

#[cfg(test)]
mod tests;
