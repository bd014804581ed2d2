//! The groups of a report's rows.

use std::str::FromStr;

/// A key by which rows are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKey {
    /// One row for each agent.
    Agent,
    /// One row for each queue.
    Queue,
    /// One row for each pause reason.
    Reason,
    /// One row for each day.
    Day,
}

impl GroupKey {
    /// Returns the key's name, which is also the name of its field.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Queue => "queue",
            Self::Reason => "reason",
            Self::Day => "day",
        }
    }
}

impl FromStr for GroupKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let keys = [Self::Agent, Self::Queue, Self::Reason, Self::Day];
        keys.into_iter().find(|key| key.as_str() == text).ok_or(())
    }
}

/// The keys of a report, in the order in which rows are sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping(Vec<GroupKey>);

impl Grouping {
    /// Creates a grouping. A key that is named twice counts once.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = GroupKey>) -> Self {
        let mut unique = Vec::new();
        for key in keys {
            if !unique.contains(&key) {
                unique.push(key);
            }
        }
        Self(unique)
    }

    /// Returns the keys.
    #[must_use]
    pub fn keys(&self) -> &[GroupKey] {
        &self.0
    }

    /// Returns whether rows are grouped by this key.
    #[must_use]
    pub fn has(&self, key: GroupKey) -> bool {
        self.0.contains(&key)
    }
}

/// The group of a row. A key by which rows are not grouped is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The index of the agent.
    pub agent: u32,
    /// The index of the queue.
    pub queue: u32,
    /// The index of the reason.
    pub reason: u32,
    /// The index of the day.
    pub day: u32,
}
