//! Renders queues, members, callers and statistics as JSON, for responses and events.

mod members;
mod pieces;
mod queues;
mod statistics;

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::errors::{ApiError, Code};
use crate::queues::PbxTime;

pub use members::MemberJsonCache;
pub(super) use members::{MemberView, paused_at, paused_reason};
pub(super) use pieces::{JsonPieces, to_json};
pub(super) use queues::write_queues;
pub(super) use statistics::{QueueEvent, QueueStatistics, TotalStatistics};

/// Renders JSON. Renders large JSON on the blocking thread pool, so that it does not delay
/// other requests.
///
/// # Errors
/// Returns `overloaded` if rendering panics. Only responses to reads are large, so the failed
/// request has changed nothing.
pub(super) async fn render<T: Send + 'static>(
    is_large: bool,
    render: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    if !is_large {
        return Ok(render());
    }
    spawn_blocking(render).await.map_err(|_| {
        let message = "The bridge failed to render the response. Nothing was changed.";
        ApiError::temporary(Code::Overloaded, Duration::from_secs(1), message)
    })
}

/// Formats a time as RFC 3339 in UTC, with millisecond precision.
pub(super) fn timestamp(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

/// Formats a time in Unix milliseconds as RFC 3339 in UTC, with millisecond precision. Returns
/// `None` for a time beyond the year 9999.
pub(super) fn unix_millis_timestamp(millis: i64) -> Option<String> {
    let time = Timestamp::from_millisecond(millis).ok()?;
    Some(format!("{time:.3}"))
}

/// Formats a time in Unix milliseconds as RFC 3339 in UTC, with a precision of one second.
fn whole_seconds(millis: i64) -> Option<String> {
    let time = Timestamp::from_second(millis.div_euclid(1000)).ok()?;
    Some(time.to_string())
}

/// Formats one of Asterisk's times as RFC 3339 in UTC, with a precision of one second. Returns
/// `None` for 0, which Asterisk reports if the event never happened.
fn pbx_timestamp(time: PbxTime) -> Option<String> {
    let unix = time.unix();
    if unix <= 0 {
        return None;
    }
    Timestamp::from_second(unix)
        .ok()
        .map(|time| time.to_string())
}
