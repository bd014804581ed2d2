//! JSON of queues, members, callers and statistics, for responses and events alike.

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
pub(super) use members::{MemberView, paused_reason};
pub(super) use pieces::{JsonPieces, to_json};
pub(super) use queues::write_queues;
pub(super) use statistics::{QueueEvent, QueueStatistics, TotalStatistics};

/// Renders JSON. Large JSON is rendered on the pool of blocking threads, so that it delays
/// neither other requests nor the links to the PBXes.
///
/// # Errors
/// `overloaded` if rendering has panicked. Only reads are large, so nothing was changed.
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

/// A time to the millisecond, as RFC 3339 in UTC.
pub(super) fn timestamp(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

/// A time of Asterisk, which has whole seconds, as RFC 3339 in UTC. `None` stands for
/// never, which Asterisk writes as 0.
fn pbx_timestamp(time: PbxTime) -> Option<String> {
    let unix = time.unix();
    if unix <= 0 {
        return None;
    }
    Timestamp::from_second(unix)
        .ok()
        .map(|time| time.to_string())
}
