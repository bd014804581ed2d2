//! The API's actions.
//!
//! Each action has its own file, which contains its parameters, its checks, what it does on
//! the PBX, and its response. To add an action, write its file and add it to [`ACTIONS`].

mod action;
mod add;
mod change_response;
mod pause;
mod queue_selection;
mod remove;
mod show_queue;
mod show_queue_stat;
mod show_state;

use super::errors::{ApiError, Code};
use super::form::Form;

pub use action::LoggedParameters;
pub(super) use action::{Action, Context};

/// The permission to open event streams.
pub(super) const EVENTS_ACTION: &str = "events";

/// All actions, in the order in which error messages list them.
const ACTIONS: [&Action; 7] = [
    &pause::PAUSE,
    &pause::UNPAUSE,
    &add::ADD,
    &remove::REMOVE,
    &show_queue::SHOW_QUEUE,
    &show_queue_stat::SHOW_QUEUE_STAT,
    &show_state::SHOW_STATE,
];

/// What a user can be allowed: every action, and [`EVENTS_ACTION`].
pub fn permissions() -> Vec<&'static str> {
    let actions = ACTIONS.iter().map(|action| action.name);
    actions.chain([EVENTS_ACTION]).collect()
}

/// Returns the requested action. Ignores the case of its name.
///
/// # Errors
/// `missing_parameter` or `unknown_action`.
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

/// Parses a query string as a request does, for the fuzz target. Returns the logged
/// parameters, and all parameters in `Debug` format.
///
/// # Errors
/// An error with status 400.
pub fn check_query(query: &str) -> Result<(LoggedParameters, String), ApiError> {
    let form = Form::parse(&[query], true)?;
    let command = (requested_action(&form)?.parse)(&form)?;
    Ok((command.logged(), format!("{command:?}")))
}

#[cfg(test)]
mod tests;
