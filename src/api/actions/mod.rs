//! The API's actions.
//!
//! Each action has its own file, with its parameters, its checks, its PBX requests and its
//! response. To add an action, create its file and add the action to [`ACTIONS`].

mod action;
mod add;
mod agent_changes;
mod change_response;
mod changed_queues;
mod pause;
mod queue_selection;
mod read_response;
mod remove;
mod show_queue;
mod show_queue_stat;
mod show_reasons;
mod show_report;
mod show_state;
mod whoami;

use super::errors::{ApiError, Code};
use super::form::Form;
use crate::organizations::Account;

pub use action::LoggedParameters;
pub(super) use action::{Action, Context};

/// The permission to open event streams.
pub(super) const EVENTS_ACTION: &str = "events";

/// All actions, in the order in which error messages list them.
const ACTIONS: [&Action; 10] = [
    &pause::PAUSE,
    &pause::UNPAUSE,
    &add::ADD,
    &remove::REMOVE,
    &show_queue::SHOW_QUEUE,
    &show_queue_stat::SHOW_QUEUE_STAT,
    &show_state::SHOW_STATE,
    &show_reasons::SHOW_REASONS,
    &show_report::SHOW_REPORT,
    &whoami::WHOAMI,
];

/// Returns everything that an account needs a permission for: actions, and [`EVENTS_ACTION`].
pub fn permissions() -> Vec<&'static str> {
    let actions = ACTIONS.iter().filter(|action| action.needs_permission);
    let names = actions.map(|action| action.name);
    names.chain([EVENTS_ACTION]).collect()
}

/// Returns the names of all actions.
pub fn action_names() -> Vec<&'static str> {
    ACTIONS.iter().map(|action| action.name).collect()
}

/// Returns the requested action. Ignores the case of its name.
///
/// # Errors
/// Returns `missing_parameter` if the request names no action, or `unknown_action` if there is no
/// such action.
pub(super) fn requested_action(form: &Form) -> Result<&'static Action, ApiError> {
    let given = form.require_treating_empty_as_missing("action")?;
    let mut actions = ACTIONS.into_iter();
    actions
        .find(|action| action.name.eq_ignore_ascii_case(given))
        .ok_or_else(|| {
            let known = ACTIONS.map(|action| action.name).join(", ");
            let message = format!("The action must be one of {known}.");
            ApiError::parameter(Code::UnknownAction, "action", message)
        })
}

/// Parses a query string in the same way as a request, for the fuzz target. Returns the logged
/// parameters, and all parameters in `Debug` format.
///
/// # Errors
/// Returns an error with status 400 if the query string or a parameter is not valid.
pub fn check_query(query: &str, account: &Account) -> Result<(LoggedParameters, String), ApiError> {
    let form = Form::parse(&[query], true)?;
    let command = (requested_action(&form)?.parse)(&form, account)?;
    Ok((command.logged(), format!("{command:?}")))
}

#[cfg(test)]
mod tests;
