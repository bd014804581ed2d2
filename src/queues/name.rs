//! Queue names as Asterisk spells them.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A queue name, spelled exactly as Asterisk lists it.
///
/// Asterisk ignores case when it compares queue names, but not when it looks up a realtime
/// queue in the database. If an action names the realtime queue `Sales` as `sales`, Asterisk
/// considers the queue deleted and removes its dynamic members. Actions therefore accept only
/// this type, and only the list decoder creates it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueName(Arc<str>);

impl QueueName {
    /// Creates a name without a list from Asterisk.
    #[cfg(test)]
    pub(crate) fn for_test(name: &str) -> Self {
        Self::from_list(name)
    }

    /// Creates a queue name from the name in a `QueueParams` row.
    pub(super) fn from_list(name: &str) -> Self {
        Self(name.into())
    }

    /// Returns the name as a string slice.
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

impl From<QueueName> for Arc<str> {
    fn from(name: QueueName) -> Self {
        name.0
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
