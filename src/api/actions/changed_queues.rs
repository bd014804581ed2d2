//! Selects the queues of a change.

use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::parameters;

/// The value of `queue` that means every queue of which the agent is a member.
const EVERY_QUEUE: &str = "*";

/// The queues in which an action changes its agents.
#[derive(Debug)]
pub(super) enum ChangedQueues {
    /// The queues with these numbers.
    Named(Vec<String>),
    /// Every queue of which the agent is a member, named as `*`.
    Every,
    /// The same, because the request has no parameter `queue`.
    Omitted,
}

impl ChangedQueues {
    /// Parses `queue`, which may be missing.
    pub(super) fn parse(form: &Form) -> Result<Self, ApiError> {
        match form.get("queue") {
            None => Ok(Self::Omitted),
            Some(_) => Self::parse_required(form),
        }
    }

    /// Parses `queue`, which is required.
    pub(super) fn parse_required(form: &Form) -> Result<Self, ApiError> {
        match form.get("queue") {
            Some(EVERY_QUEUE) => Ok(Self::Every),
            _ => parameters::required_queues(form).map(Self::Named),
        }
    }

    /// Returns the queue numbers, or `None` for every queue.
    pub(super) fn numbers(&self) -> Option<&[String]> {
        match self {
            Self::Named(numbers) => Some(numbers),
            Self::Every | Self::Omitted => None,
        }
    }

    /// Returns the queues as the request names them, for the log.
    pub(super) fn logged(&self) -> Option<Vec<String>> {
        match self {
            Self::Named(numbers) => Some(numbers.clone()),
            Self::Every => Some(vec![EVERY_QUEUE.to_owned()]),
            Self::Omitted => None,
        }
    }
}
