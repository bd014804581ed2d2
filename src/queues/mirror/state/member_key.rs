//! Identifies a membership.

/// Identifies a membership, regardless of case, because Asterisk ignores case in the names of
/// queues and interfaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::queues::mirror) struct MemberKey {
    /// The queue's name in lower case.
    pub(super) queue: String,
    /// The member's interface in lower case.
    pub(super) interface: String,
}

impl MemberKey {
    pub(in crate::queues::mirror) fn new(queue: &str, interface: &str) -> Self {
        Self {
            queue: queue.to_ascii_lowercase(),
            interface: interface.to_ascii_lowercase(),
        }
    }
}
