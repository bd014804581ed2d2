//! Runs a request in its own task, so that the request can outlive its connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::task::TaskTracker;
use tracing::error;

use crate::api::{ApiError, Code};

/// Runs `work` in its own task. hyper drops the handler's future if the client disconnects, but
/// the bridge must still wait for the replies to the actions that it has sent, and log the
/// outcome.
///
/// # Errors
/// If the task panics, returns [`Code::OutcomeUnknown`] if a change was sent, and otherwise
/// [`Code::Overloaded`].
pub(super) async fn run_in_task<T: Send + 'static>(
    running_requests: &TaskTracker,
    change_sent: Arc<AtomicBool>,
    request_id: &str,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, ApiError> {
    running_requests.spawn(work).await.map_err(|error| {
        let api_error = panic_error(change_sent.load(Ordering::Acquire));
        let outcome = api_error.code.as_str();
        error!(%error, request_id, outcome, "a request task has panicked");
        api_error
    })
}

fn panic_error(change_sent: bool) -> ApiError {
    if change_sent {
        let message = "The bridge has failed. The change may or may not have happened.";
        return ApiError::new(Code::OutcomeUnknown, message);
    }
    let message = "The bridge has failed. Nothing was sent.";
    ApiError::temporary(Code::Overloaded, Duration::from_secs(1), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn panic_returns_outcome_unknown_only_if_a_change_was_sent() {
        let running = TaskTracker::new();
        for (sends, code) in [(false, Code::Overloaded), (true, Code::OutcomeUnknown)] {
            let change_sent = Arc::new(AtomicBool::new(false));
            let task_change_sent = Arc::clone(&change_sent);
            let work = async move {
                task_change_sent.store(sends, Ordering::Release);
                tokio::task::yield_now().await;
                panic!("a deliberate panic");
            };
            let result = run_in_task(&running, change_sent, "r1", work).await;
            let error = result.expect_err("the task panics");
            assert_eq!(error.code, code);
            assert_eq!(error.retry_after.is_some(), !sends);
        }
    }
}
