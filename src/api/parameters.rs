//! Validates individual parameters, for all actions. Rejects invalid values and never repairs them.
//! Does no IO.

use super::errors::ApiError;
use super::form::{Form, invalid};
use crate::ami::value::{MAX_MEMBER_BYTES, MEMBER_SEPARATORS};
use crate::organizations::{Account, MAX_AGENT_CHARS, MAX_QUEUE_CHARS, is_number_char};

/// The maximum number of queues that one request may name. The bridge may send the PBX one action
/// for each queue.
const MAX_QUEUES: usize = 100;

/// The maximum number of agents that one request may name.
const MAX_AGENTS: usize = 100;

/// Returns the phone numbers in the parameter `agent`, without duplicates. The parameter is
/// required unless the account is limited to one agent.
pub(super) fn agents(form: &Form, account: &Account) -> Result<Vec<String>, ApiError> {
    if let (None, Some(own)) = (form.get("agent"), account.own_agent()) {
        return Ok(vec![own.to_owned()]);
    }
    numbers(form, "agent", MAX_AGENTS, MAX_AGENT_CHARS)
}

/// Rejects the parameter `agent` in requests that concern all agents. Otherwise, a client could
/// mistake the response for one about that agent.
pub(super) fn reject_agent(form: &Form) -> Result<(), ApiError> {
    match form.get("agent") {
        None => Ok(()),
        Some(_) => Err(invalid(
            "agent",
            "is not supported here; use it with showstate",
        )),
    }
}

/// Rejects a parameter that the action does not use although it narrows other actions.
/// Otherwise, a client could mistake the response for a narrowed one.
pub(super) fn reject_unused(form: &Form, name: &str) -> Result<(), ApiError> {
    match form.get(name) {
        None => Ok(()),
        Some(_) => Err(invalid(name, "is not supported here")),
    }
}

/// Returns the queue numbers in `queue`, or `None` if the request does not have the parameter.
pub(super) fn queues(form: &Form) -> Result<Option<Vec<String>>, ApiError> {
    form.get("queue").map(|_| required_queues(form)).transpose()
}

/// Returns the queue numbers in the required parameter `queue`, without duplicates.
pub(super) fn required_queues(form: &Form) -> Result<Vec<String>, ApiError> {
    numbers(form, "queue", MAX_QUEUES, MAX_QUEUE_CHARS)
}

/// Returns the numbers in a required parameter, separated by commas, without duplicates. Ignores
/// case when it compares numbers.
fn numbers(
    form: &Form,
    name: &str,
    max_count: usize,
    max_chars: usize,
) -> Result<Vec<String>, ApiError> {
    let mut numbers: Vec<String> = Vec::new();
    for item in form.require(name)?.split(',') {
        let number = number(name, item, max_chars)?;
        if numbers.iter().any(|n| n.eq_ignore_ascii_case(&number)) {
            continue;
        }
        if numbers.len() == max_count {
            let problem = format!("names more than {max_count} {name}s");
            return Err(invalid(name, &problem));
        }
        numbers.push(number);
    }
    Ok(numbers)
}

/// Validates a phone number or queue number. The allowed characters can't select another channel
/// technology, dialplan context or trunk when the number becomes part of an interface.
fn number(name: &str, text: &str, limit: usize) -> Result<String, ApiError> {
    if text.is_empty() {
        return Err(invalid(name, "contains an empty number"));
    }
    if text.len() > limit {
        return Err(invalid(name, &format!("is longer than {limit} characters")));
    }
    if !text.bytes().all(is_number_char) {
        return Err(invalid(
            name,
            "may contain only letters, digits, _, . and -",
        ));
    }
    if text.starts_with(['-', '.']) {
        return Err(invalid(name, "must begin with a letter, a digit or _"));
    }
    Ok(text.to_owned())
}

/// Returns text that Asterisk stores with a member, such as a pause reason. Empty text counts as
/// absent.
pub(super) fn member_text(form: &Form, name: &str) -> Result<Option<String>, ApiError> {
    match form.get(name) {
        None | Some("") => Ok(None),
        Some(text) if text.len() > MAX_MEMBER_BYTES => Err(invalid(
            name,
            &format!("is longer than {MAX_MEMBER_BYTES} bytes in UTF-8"),
        )),
        Some(text) if text.contains(MEMBER_SEPARATORS) => Err(invalid(
            name,
            "must not contain a pipe (|), comma or semicolon",
        )),
        Some(text) => Ok(Some(text.to_owned())),
    }
}

/// A boolean parameter, false by default.
pub(super) fn flag(form: &Form, name: &str) -> Result<bool, ApiError> {
    match form.get(name).map(str::to_ascii_lowercase).as_deref() {
        None | Some("false" | "0" | "no") => Ok(false),
        Some("true" | "1" | "yes") => Ok(true),
        Some(_) => Err(invalid(name, "must be true, false, 1, 0, yes or no")),
    }
}
