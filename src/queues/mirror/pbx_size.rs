//! How large a PBX is, and what it may be asked.

use super::mirror::Mirror;
use crate::queues::queries::QueryMode;

/// Up to so many queues and memberships, a list of all of them costs Asterisk a few
/// milliseconds.
const FEW_QUEUES: usize = 32;
const FEW_MEMBERSHIPS: usize = 500;

/// Up to so many, one of all queues without members does, and one of all memberships
/// about twenty (18.6 ms for 2,000 of them, by Asterisk 22.10).
const SOME_QUEUES: usize = 64;
const SOME_MEMBERSHIPS: usize = 2_000;

impl Mirror {
    /// How many memberships there are.
    pub(super) fn count_memberships(&self) -> usize {
        self.entries()
            .map(|entry| entry.queue().members.len())
            .sum()
    }

    /// How to ask about queues on a PBX of this size.
    pub(super) fn query_mode(&self) -> QueryMode {
        match (self.entries.len(), self.count_memberships()) {
            (..=FEW_QUEUES, ..=FEW_MEMBERSHIPS) => QueryMode::Full,
            (..=SOME_QUEUES, ..=SOME_MEMBERSHIPS) => QueryMode::Unnamed,
            _ => QueryMode::Named,
        }
    }
}
