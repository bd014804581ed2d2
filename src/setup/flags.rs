//! Checks the flags before anything is changed.

use super::answers::{
    parse_agents, parse_interface, parse_names, parse_queue_name, parse_queues,
    parse_state_interface, parse_username,
};
use super::error::SetupError;
use crate::cli::SetupArguments;

/// Checks each flag by itself.
///
/// # Errors
/// Returns a mistake that names the first flag with a wrong value.
pub(super) fn check(arguments: &SetupArguments) -> Result<(), SetupError> {
    let SetupArguments {
        organization,
        queues,
        agents,
        queue_name,
        interface,
        state_interface,
        username,
        ..
    } = arguments;
    let queues = queues.as_ref().map(|queues| queues.join(","));
    let agents = agents.as_ref().map(|agents| agents.join(","));
    let names = checked("--organization", organization.as_deref(), parse_names)?;
    checked("--queues", queues.as_deref(), parse_queues)?;
    checked("--agents", agents.as_deref(), parse_agents)?;
    checked("--queue-name", queue_name.as_deref(), parse_queue_name)?;
    checked("--interface", interface.as_deref(), parse_interface)?;
    let state_interface = state_interface.as_deref().filter(|text| !text.is_empty());
    checked("--state-interface", state_interface, parse_state_interface)?;
    checked("--username", username.as_deref(), parse_username)?;
    match names {
        Some(names) if names.len() > 1 => refuse_single_flags(arguments),
        _ => Ok(()),
    }
}

fn checked<T>(
    flag: &str,
    value: Option<&str>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, SetupError> {
    let parsed = value.map(parse).transpose();
    parsed.map_err(|error| SetupError::Mistake(format!("{flag}: {error}")))
}

/// Refuses flags that can apply to one organization only.
///
/// # Errors
/// Returns a mistake that names the first such flag.
pub(super) fn refuse_single_flags(arguments: &SetupArguments) -> Result<(), SetupError> {
    let flags = [
        ("--queues", arguments.queues.is_some()),
        ("--queue-name", arguments.queue_name.is_some()),
        ("--agents", arguments.agents.is_some()),
        ("--username", arguments.username.is_some()),
        ("--password-file", arguments.password_file.is_some()),
    ];
    match flags.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((flag, _)) => Err(SetupError::Mistake(format!(
            "{flag} applies to one organization: name only one with --organization"
        ))),
    }
}
