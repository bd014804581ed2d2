//! Checks of single parameters, shared by the actions. They reject a bad value and never
//! repair it. They do no IO.

use super::errors::{ApiError, Code};
use super::form::Form;
use crate::ami::value::{MAX_MEMBER_BYTES, MEMBER_SEPARATORS};
use crate::organizations::{MAX_AGENT, MAX_QUEUE, is_number_char};

/// The most queues that a request may name. Each costs the PBX an action.
const MAX_QUEUES: usize = 100;

/// `invalid_parameter`. `problem` continues the sentence "The parameter x …".
pub(super) fn invalid(name: &str, problem: &str) -> ApiError {
    let message = format!("The parameter {name} {problem}.");
    ApiError::parameter(Code::InvalidParameter, name, message)
}

/// The phone number of an agent.
pub(super) fn agent(form: &Form) -> Result<String, ApiError> {
    number("agent", form.require("agent")?, MAX_AGENT)
}

/// Refuses `agent` for actions that are about all agents. Otherwise the response could be
/// mistaken for one about that agent.
pub(super) fn no_agent(form: &Form) -> Result<(), ApiError> {
    match form.get("agent") {
        None => Ok(()),
        Some(_) => Err(invalid("agent", "has no place here; showstate takes one")),
    }
}

/// Queue numbers; `None` without the parameter.
pub(super) fn queues(form: &Form) -> Result<Option<Vec<String>>, ApiError> {
    form.get("queue").map(|_| required_queues(form)).transpose()
}

/// A list of queue numbers. A number that is listed twice counts once.
pub(super) fn required_queues(form: &Form) -> Result<Vec<String>, ApiError> {
    let mut numbers: Vec<String> = Vec::new();
    for item in form.require("queue")?.split(',') {
        let number = number("queue", item, MAX_QUEUE)?;
        if numbers.iter().any(|n| n.eq_ignore_ascii_case(&number)) {
            continue;
        }
        if numbers.len() == MAX_QUEUES {
            let problem = format!("names more than {MAX_QUEUES} queues");
            return Err(invalid("queue", &problem));
        }
        numbers.push(number);
    }
    Ok(numbers)
}

/// A phone or queue number. Its characters can't lead into another channel technology,
/// context or trunk.
fn number(name: &str, text: &str, limit: usize) -> Result<String, ApiError> {
    if text.is_empty() {
        return Err(invalid(name, "has an empty item"));
    }
    if text.len() > limit {
        return Err(invalid(name, &format!("is longer than {limit} characters")));
    }
    if !text.bytes().all(is_number_char) {
        return Err(invalid(name, "may only have letters, digits, _ . and -"));
    }
    if text.starts_with(['-', '.']) {
        return Err(invalid(name, "must begin with a letter, a digit or _"));
    }
    Ok(text.to_owned())
}

/// A text that Asterisk stores with a member. An empty text counts as absent.
pub(super) fn member_text(form: &Form, name: &str) -> Result<Option<String>, ApiError> {
    match form.get(name) {
        None | Some("") => Ok(None),
        Some(text) if text.len() > MAX_MEMBER_BYTES => Err(invalid(
            name,
            &format!("is longer than {MAX_MEMBER_BYTES} bytes in UTF-8"),
        )),
        Some(text) if text.contains(MEMBER_SEPARATORS) => {
            Err(invalid(name, "must not have any of | , ;"))
        }
        Some(text) => Ok(Some(text.to_owned())),
    }
}

/// A truth value; false without the parameter.
pub(super) fn flag(form: &Form, name: &str) -> Result<bool, ApiError> {
    match form.get(name).map(str::to_ascii_lowercase).as_deref() {
        None | Some("false" | "0" | "no") => Ok(false),
        Some("true" | "1" | "yes") => Ok(true),
        Some(_) => Err(invalid(name, "must be true, false, 1, 0, yes or no")),
    }
}
