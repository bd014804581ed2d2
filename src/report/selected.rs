//! The rows of a report.

use crate::storage::Entry;

/// A row that belongs to the report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selected {
    pub(super) entry: Entry,
    pub(super) agent: u32,
    pub(super) queue: u32,
}
