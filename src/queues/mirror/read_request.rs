//! The parameters of a read.

use tokio::time::Instant;

use super::cached_names::CachedNames;

/// The parameters of a read.
#[derive(Debug, Clone, Copy)]
pub struct ReadRequest<'a> {
    /// The queue names, compared without regard to case. `None` means all queues.
    pub names: Option<&'a [String]>,
    /// Without `names`, the cache of the names that the read's filter selects.
    pub cached_names: Option<&'a CachedNames>,
    /// Whether to query Asterisk for named queues that the mirror does not have.
    pub looks_up_missing: bool,
    /// Whether to list all requested queues on Asterisk before reading the mirror.
    pub fresh: bool,
    /// The time by which the read must be complete.
    pub deadline: Instant,
    /// The request's id, for the log.
    pub request_id: &'a str,
}
