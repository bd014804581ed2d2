//! Names of queues, as Asterisk spells them.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A queue's name exactly as one of Asterisk's own lists spells it.
///
/// Asterisk compares names of queues without case, but looks a realtime queue up in
/// its database with case: asked about `sales`, it takes the realtime queue `Sales`
/// for deleted and throws its dynamic members out. Only what was decoded from a list
/// is of this type, and actions take no other name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueName(Arc<str>);

impl QueueName {
    /// The name in a `QueueParams` row.
    pub(super) fn listed(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for QueueName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<&str> for QueueName {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}
