//! What the PBX's refusals, and its silence, mean to a client.

use std::time::Duration;

use super::errors::{ApiError, Code};
use crate::ami::Failure;
use crate::ami::value::ValueError;
use crate::queues::{CommandError, NOT_NOW};

pub(super) fn unknown_queue(number: &str) -> ApiError {
    let message = format!("There is no queue {number}.");
    ApiError::new(Code::UnknownQueue, message)
}

/// Why a change in a queue was not made.
pub(super) fn changing(agent: &str, queue: &str, error: CommandError) -> ApiError {
    match error {
        CommandError::NoSuchQueue => unknown_queue(queue),
        CommandError::NotAMember => {
            let message = format!("Agent {agent} is not a member of queue {queue}.");
            ApiError::new(Code::NotAMember, message)
        }
        CommandError::AlreadyMember => {
            let message = format!("Agent {agent} is a member of queue {queue} already.");
            ApiError::new(Code::AlreadyMember, message)
        }
        CommandError::StaticMember => {
            let message = format!(
                "Agent {agent} stands in the PBX's own configuration of queue {queue} and \
                 can't be removed."
            );
            ApiError::new(Code::StaticMember, message)
        }
        CommandError::NotLoaded => failed(NOT_NOW),
        CommandError::Failure(failure) => failed(failure),
        CommandError::Refused(text) => refused(&text),
        CommandError::Value(error) => unfit(error),
    }
}

/// Why a question got no answer.
pub(super) fn reading(error: CommandError) -> ApiError {
    match error {
        CommandError::NotLoaded => failed(NOT_NOW),
        CommandError::Failure(failure) => failed(failure),
        CommandError::Value(error) => unfit(error),
        error => refused(&error.to_string()),
    }
}

/// Why a change was not sent: what had to be asked before it has no answer, which is no
/// doubt.
pub(super) fn looking_up(error: CommandError) -> ApiError {
    match error {
        CommandError::Failure(Failure::Unknown) => no_change_sent(),
        error => reading(error),
    }
}

/// What was asked of the PBX before a change has no answer.
pub(super) fn no_change_sent() -> ApiError {
    let message = "The PBX gave no answer in time. No change was sent.";
    ApiError::retry(Code::PbxUnavailable, Duration::from_secs(1), message)
}

/// What a missing answer means.
pub(super) fn failed(failure: Failure) -> ApiError {
    match failure {
        Failure::Unavailable { retry_after } => {
            let message = "The PBX is not available now. Nothing was done.";
            ApiError::retry(Code::PbxUnavailable, retry_after, message)
        }
        Failure::Overloaded => {
            let message = "Too many requests are waiting for the PBX. Nothing was sent.";
            ApiError::retry(Code::Overloaded, Duration::from_secs(1), message)
        }
        Failure::Unknown => {
            let message = "The PBX gave no answer in time: a change may or may not have happened.";
            ApiError::new(Code::OutcomeUnknown, message)
        }
    }
}

fn refused(text: &str) -> ApiError {
    let message = format!("The PBX refuses: {text}");
    ApiError::new(Code::PbxRefused, message)
}

/// A value that passed the edge and not the action builder: the configuration's
/// templates make it unfit.
fn unfit(error: ValueError) -> ApiError {
    let message = format!("A value {error}. Nothing was sent.");
    ApiError::new(Code::InvalidParameter, message)
}
