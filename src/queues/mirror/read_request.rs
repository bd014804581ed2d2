//! What to read.

use tokio::time::Instant;

/// What to read, and for which request.
#[derive(Debug, Clone, Copy)]
pub struct ReadRequest<'a> {
    /// Names of queues, in any spelling; `None` is all queues.
    pub names: Option<&'a [String]>,
    /// Whether to query Asterisk for named queues that the mirror does not have.
    pub finds_new: bool,
    /// Whether to query Asterisk for everything instead of reading the mirror.
    pub fresh: bool,
    /// When the read must be complete.
    pub deadline: Instant,
    /// The request's id, for the log.
    pub request_id: &'a str,
}
