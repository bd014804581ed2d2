//! The callers in the model of [`Pending`](super::Pending).

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::Instant;

use crate::ami::reply::ReplyResult;

/// A caller that has requested an action.
pub(super) struct Caller {
    pub(super) id: u64,
    pub(super) deadline: Instant,
    /// `None` if the caller has given up.
    pub(super) receiver: Option<oneshot::Receiver<ReplyResult>>,
    /// Whether the caller has its result, or would have the result if it had not given up.
    pub(super) finished: bool,
}

/// Checks that an unfinished caller has a result if and only if `is_due` returns true for
/// it, and passes each result to `check`.
pub(super) fn check_results(
    callers: &mut [Caller],
    is_due: impl Fn(&Caller) -> bool,
    check: impl Fn(&Caller, ReplyResult),
) {
    for caller in callers {
        let expected = !caller.finished && is_due(caller);
        let result = caller.receiver.as_mut().map(oneshot::Receiver::try_recv);
        match result {
            Some(Ok(result)) => {
                assert!(expected, "an unexpected result: {result:?}");
                check(caller, result);
            }
            Some(Err(TryRecvError::Empty)) => assert!(!expected, "no result"),
            Some(Err(TryRecvError::Closed)) => {
                assert!(caller.finished, "dropped without a result");
            }
            None => {}
        }
        caller.finished |= expected;
    }
}
