//! Selects the query mode according to the size of the PBX.

use super::Mirror;
use crate::queues::queries::QueryMode;

/// Up to this size, a list of all queues with all members costs Asterisk a few
/// milliseconds.
const FULL_MAX_QUEUES: usize = 32;
const FULL_MAX_MEMBERSHIPS: usize = 500;

/// Up to this size, a list of all queues without members costs Asterisk a few milliseconds,
/// and a list of all queues with all members about 20 ms (18.6 ms for 2,000 memberships on
/// Asterisk 22.10).
const UNNAMED_MAX_QUEUES: usize = 64;
const UNNAMED_MAX_MEMBERSHIPS: usize = 2_000;

impl Mirror {
    /// Returns the number of memberships on the PBX.
    pub(in crate::queues::mirror) fn count_memberships(&self) -> usize {
        self.memberships.count()
    }

    /// Returns the query mode for a PBX of this size.
    pub(in crate::queues::mirror) fn query_mode(&self) -> QueryMode {
        match (self.queues.len(), self.count_memberships()) {
            (..=FULL_MAX_QUEUES, ..=FULL_MAX_MEMBERSHIPS) => QueryMode::Full,
            (..=UNNAMED_MAX_QUEUES, ..=UNNAMED_MAX_MEMBERSHIPS) => QueryMode::Unnamed,
            _ => QueryMode::Named,
        }
    }
}
