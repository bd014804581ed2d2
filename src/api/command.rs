//! From parameters to a command: the rules of each action. Pure.

use super::error::{ApiError, Code};
use super::query::Form;
use crate::ami::value::{MAX_MEMBER, MEMBER_SEPARATORS};
use crate::organizations::{MAX_AGENT, MAX_QUEUE, is_number_char};

/// The actions of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the documentation's")]
pub enum ActionName {
    Pause,
    Unpause,
    Add,
    Remove,
    ShowQueue,
    ShowQueueStat,
    ShowState,
}

impl ActionName {
    const ALL: [Self; 7] = [
        Self::Pause,
        Self::Unpause,
        Self::Add,
        Self::Remove,
        Self::ShowQueue,
        Self::ShowQueueStat,
        Self::ShowState,
    ];

    /// The action's name in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Add => "add",
            Self::Remove => "remove",
            Self::ShowQueue => "showqueue",
            Self::ShowQueueStat => "showqueuestat",
            Self::ShowState => "showstate",
        }
    }

    /// Takes the action from the parameters; any case will do.
    ///
    /// # Errors
    /// `missing_parameter` or `unknown_action`.
    pub fn from_form(form: &Form) -> Result<Self, ApiError> {
        let given = form.identity("action")?;
        let mut all = Self::ALL.into_iter();
        all.find(|name| name.as_str().eq_ignore_ascii_case(given))
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::as_str).join(", ");
                let message = format!("The action must be one of {known}.");
                ApiError::parameter(Code::UnknownAction, "action", message)
            })
    }
}

/// What is to be done; values are checked, and not yet the organization's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Pause or unpause.
    Pause {
        /// Phone number.
        agent: String,
        /// Queue numbers; `None` is every queue of which the agent is a member.
        queues: Option<Vec<String>>,
        /// Pause, or unpause.
        paused: bool,
        /// Why.
        reason: Option<String>,
    },
    /// Add.
    Add {
        /// Phone number.
        agent: String,
        /// Queue numbers.
        queues: Vec<String>,
        /// Display name.
        alias: String,
        /// Members of a lower penalty are rung first.
        penalty: u32,
        /// Whether to start paused.
        paused: bool,
        /// Why paused.
        reason: Option<String>,
    },
    /// Remove.
    Remove {
        /// Phone number.
        agent: String,
        /// Queue numbers.
        queues: Vec<String>,
    },
    /// Queues with members and callers.
    ShowQueue {
        /// Queue numbers; `None` is all of the organization.
        queues: Option<Vec<String>>,
        /// Ask Asterisk now.
        fresh: bool,
    },
    /// Figures of queues.
    ShowQueueStat {
        /// Queue numbers; `None` is all of the organization.
        queues: Option<Vec<String>>,
        /// Ask Asterisk now.
        fresh: bool,
    },
    /// An agent's state.
    ShowState {
        /// Phone number.
        agent: String,
        /// Queue numbers; `None` is all of the organization.
        queues: Option<Vec<String>>,
        /// Ask Asterisk now.
        fresh: bool,
    },
}

const MAX_PENALTY: u32 = 1_000_000;

impl Command {
    /// Takes what the action needs from the parameters. What an action has no
    /// use for is passed over.
    ///
    /// # Errors
    /// `missing_parameter` or `invalid_parameter`.
    pub fn from_form(action: ActionName, form: &Form) -> Result<Self, ApiError> {
        Ok(match action {
            ActionName::Pause | ActionName::Unpause => Self::Pause {
                agent: agent(form)?,
                queues: queues(form)?,
                paused: action == ActionName::Pause,
                reason: member_text(form, "reason")?,
            },
            ActionName::Add => {
                let agent = agent(form)?;
                let queues = required_queues(form)?;
                let alias = member_text(form, "alias")?;
                let penalty = penalty(form)?;
                let paused = flag(form, "paused")?;
                let reason = member_text(form, "reason")?;
                Self::Add {
                    alias: alias.unwrap_or_else(|| agent.clone()),
                    agent,
                    queues,
                    penalty,
                    paused,
                    // Only a pause has a reason.
                    reason: reason.filter(|_| paused),
                }
            }
            ActionName::Remove => Self::Remove {
                agent: agent(form)?,
                queues: required_queues(form)?,
            },
            ActionName::ShowQueue => {
                let fresh = flag(form, "fresh")?;
                no_agent(form)?;
                Self::ShowQueue {
                    queues: queues(form)?,
                    fresh,
                }
            }
            ActionName::ShowQueueStat => {
                let fresh = flag(form, "fresh")?;
                no_agent(form)?;
                Self::ShowQueueStat {
                    queues: queues(form)?,
                    fresh,
                }
            }
            ActionName::ShowState => {
                let fresh = flag(form, "fresh")?;
                Self::ShowState {
                    agent: agent(form)?,
                    queues: queues(form)?,
                    fresh,
                }
            }
        })
    }

    /// Whether it changes the PBX.
    #[must_use]
    pub fn is_change(&self) -> bool {
        matches!(
            self,
            Self::Pause { .. } | Self::Add { .. } | Self::Remove { .. }
        )
    }

    /// The agent that it is about.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        match self {
            Self::Pause { agent, .. }
            | Self::Add { agent, .. }
            | Self::Remove { agent, .. }
            | Self::ShowState { agent, .. } => Some(agent),
            Self::ShowQueue { .. } | Self::ShowQueueStat { .. } => None,
        }
    }

    /// The reason that is given.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Pause { reason, .. } | Self::Add { reason, .. } => reason.as_deref(),
            _ => None,
        }
    }

    /// The queues that are named.
    #[must_use]
    pub fn queues(&self) -> Option<&[String]> {
        match self {
            Self::Add { queues, .. } | Self::Remove { queues, .. } => Some(queues),
            Self::Pause { queues, .. }
            | Self::ShowQueue { queues, .. }
            | Self::ShowQueueStat { queues, .. }
            | Self::ShowState { queues, .. } => queues.as_deref(),
        }
    }
}

fn invalid(name: &str, what: &str) -> ApiError {
    let message = format!("The parameter {name} {what}.");
    ApiError::parameter(Code::InvalidParameter, name, message)
}

fn agent(form: &Form) -> Result<String, ApiError> {
    number("agent", form.require("agent")?, MAX_AGENT)
}

/// An answer about all agents must not look like one about that agent.
fn no_agent(form: &Form) -> Result<(), ApiError> {
    match form.get("agent") {
        None => Ok(()),
        Some(_) => Err(invalid("agent", "has no place here; showstate takes one")),
    }
}

/// The queues that a stream of events is to show.
pub(super) fn shown_queues(form: &Form) -> Result<Option<Vec<String>>, ApiError> {
    no_agent(form)?;
    queues(form)
}

fn queues(form: &Form) -> Result<Option<Vec<String>>, ApiError> {
    form.get("queue").map(|_| required_queues(form)).transpose()
}

/// Most queues that a request may name: each costs the PBX an action.
const MAX_QUEUES: usize = 100;

/// A list of queue numbers; one that stands twice counts once.
fn required_queues(form: &Form) -> Result<Vec<String>, ApiError> {
    let mut numbers: Vec<String> = Vec::new();
    for item in form.require("queue")?.split(',') {
        let number = number("queue", item, MAX_QUEUE)?;
        if numbers.iter().any(|n| n.eq_ignore_ascii_case(&number)) {
            continue;
        }
        if numbers.len() == MAX_QUEUES {
            let what = format!("names more than {MAX_QUEUES} queues");
            return Err(invalid("queue", &what));
        }
        numbers.push(number);
    }
    Ok(numbers)
}

/// A phone or queue number: nothing in it can lead into another technology,
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

/// A text that Asterisk keeps with a member; empty counts as absent.
fn member_text(form: &Form, name: &str) -> Result<Option<String>, ApiError> {
    match form.get(name) {
        None | Some("") => Ok(None),
        Some(text) if text.len() > MAX_MEMBER => Err(invalid(
            name,
            &format!("is longer than {MAX_MEMBER} bytes in UTF-8"),
        )),
        Some(text) if text.contains(MEMBER_SEPARATORS) => {
            Err(invalid(name, "must not have any of | , ;"))
        }
        Some(text) => Ok(Some(text.to_owned())),
    }
}

fn penalty(form: &Form) -> Result<u32, ApiError> {
    let Some(text) = form.get("penalty") else {
        return Ok(0);
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let value = text
        .parse()
        .ok()
        .filter(|value| digits && *value <= MAX_PENALTY);
    value.ok_or_else(|| {
        invalid(
            "penalty",
            &format!("must be a number from 0 to {MAX_PENALTY}"),
        )
    })
}

fn flag(form: &Form, name: &str) -> Result<bool, ApiError> {
    match form.get(name).map(str::to_ascii_lowercase).as_deref() {
        None | Some("false" | "0" | "no") => Ok(false),
        Some("true" | "1" | "yes") => Ok(true),
        Some(_) => Err(invalid(name, "must be true, false, 1, 0, yes or no")),
    }
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
