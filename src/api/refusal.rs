//! Maps PBX errors to API errors.

use std::time::Duration;

use super::errors::{ApiError, Code};
use crate::ami::Failure;
use crate::ami::value::ValueError;
use crate::queues::{QueueError, TEMPORARILY_UNAVAILABLE};

pub(super) fn unknown_queue(number: &str) -> ApiError {
    let message = format!("There is no queue {number}.");
    ApiError::new(Code::UnknownQueue, message)
}

/// Returns the error for a failed change in a queue.
pub(super) fn change_failed(agent: &str, queue: &str, error: QueueError) -> ApiError {
    match error {
        QueueError::NoSuchQueue => unknown_queue(queue),
        QueueError::NotAMember => {
            let message = format!("Agent {agent} is not a member of queue {queue}.");
            ApiError::new(Code::NotAMember, message)
        }
        QueueError::AlreadyMember => {
            let message = format!("Agent {agent} is already a member of queue {queue}.");
            ApiError::new(Code::AlreadyMember, message)
        }
        QueueError::StaticMember => {
            let message = format!(
                "Agent {agent} is a member of queue {queue} by the PBX's own configuration and \
                 can't be removed."
            );
            ApiError::new(Code::StaticMember, message)
        }
        QueueError::NotLoaded => request_failed(TEMPORARILY_UNAVAILABLE),
        QueueError::Failure(failure) => request_failed(failure),
        QueueError::Refused(text) => refused(&text),
        QueueError::Value(error) => unusable_value(error),
        QueueError::StorageUnavailable(_) => storage_unavailable(),
    }
}

/// Returns the error for a failed read.
pub(super) fn read_failed(error: QueueError) -> ApiError {
    match error {
        QueueError::NotLoaded => request_failed(TEMPORARILY_UNAVAILABLE),
        QueueError::Failure(failure) => request_failed(failure),
        QueueError::Value(error) => unusable_value(error),
        QueueError::StorageUnavailable(_) => storage_unavailable(),
        error => refused(&error.to_string()),
    }
}

/// Returns the error for a change whose preceding query failed. The error is never
/// `outcome_unknown`, because the change was not sent.
pub(super) fn lookup_failed(error: QueueError) -> ApiError {
    match error {
        QueueError::Failure(Failure::Unknown) => no_change_sent(),
        error => read_failed(error),
    }
}

/// Returns the error for a change whose preceding query timed out.
pub(super) fn no_change_sent() -> ApiError {
    let message = "The PBX gave no answer in time. No change was sent.";
    ApiError::temporary(Code::PbxUnavailable, Duration::from_secs(1), message)
}

/// Returns the error for an action that was not sent or not answered.
pub(super) fn request_failed(failure: Failure) -> ApiError {
    match failure {
        Failure::Unavailable { retry_after } => {
            let message = "The PBX is not available now. Nothing was done.";
            ApiError::temporary(Code::PbxUnavailable, retry_after, message)
        }
        Failure::Overloaded => {
            let message = "Too many requests are waiting for the PBX. Nothing was sent.";
            ApiError::temporary(Code::Overloaded, Duration::from_secs(1), message)
        }
        Failure::Unknown => {
            let message = "The PBX gave no answer in time: a change may or may not have happened.";
            ApiError::new(Code::OutcomeUnknown, message)
        }
    }
}

/// Returns the error for a pause whose end can't be stored. The log has the reason, which
/// clients don't need to know.
fn storage_unavailable() -> ApiError {
    let message = "The end of the pause can't be stored now. Nothing was sent.";
    ApiError::temporary(Code::StorageUnavailable, Duration::from_secs(1), message)
}

/// Returns the error for a report that can't be read. The log has the reason.
pub(super) fn report_unavailable() -> ApiError {
    let message = "The day's work can't be read now.";
    ApiError::temporary(Code::StorageUnavailable, Duration::from_secs(1), message)
}

/// Returns the error for a report that had to wait for other reports for too long.
pub(super) fn too_many_reports() -> ApiError {
    let message = "Too many reports are being computed.";
    ApiError::temporary(Code::Overloaded, Duration::from_secs(1), message)
}

fn refused(text: &str) -> ApiError {
    let message = format!("Asterisk refused: {text}");
    ApiError::new(Code::PbxRefused, message)
}

/// Returns the error for a value that an AMI action can't contain. The request's parameters are
/// valid, so the value must come from a template in the configuration.
fn unusable_value(error: ValueError) -> ApiError {
    let message = format!("A value {error}. Nothing was sent.");
    ApiError::new(Code::InvalidParameter, message)
}
