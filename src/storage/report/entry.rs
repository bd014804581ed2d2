//! A row of the day's work, with numbers instead of names.

use super::names::NameId;

/// The length of a UTC day, in seconds.
pub const DAY_SECONDS: i64 = 86_400;

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EntryKind {
    /// A member was logged in to a queue.
    Login = 0,
    /// A member was paused in a queue. The value is the reason's name, 0 for none.
    Pause = 1,
    /// A member's call from a queue ended at `began`, after `seconds`. The value is the wrap-up
    /// time that followed, in seconds.
    Call = 2,
    /// A member missed a call.
    Missed = 3,
    /// A caller left a queue at `began`, after a wait of `seconds`. The value says how.
    Caller = 4,
}

impl EntryKind {
    /// Returns the kind with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        let kinds = [
            Self::Login,
            Self::Pause,
            Self::Call,
            Self::Missed,
            Self::Caller,
        ];
        kinds.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A row with numbers instead of names. Times are Unix seconds. The order of the fields is the
/// order of the rows in a packed day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Rows overlap in time only if their eras are equal. An era ends when the clock is set, and
    /// when the process ends.
    pub era: u32,
    /// The interface's name, 0 for a caller.
    pub interface: NameId,
    /// The kind.
    pub kind: EntryKind,
    /// When it began.
    pub began: i64,
    /// The queue's name.
    pub queue: NameId,
    /// How long it lasted.
    pub seconds: u32,
    /// Depends on the kind.
    pub value: u32,
    /// If the row continues an earlier row: how long the whole had lasted when this row began.
    pub elapsed: Option<u32>,
}

impl Entry {
    /// Returns when it ended, in Unix seconds.
    #[must_use]
    pub fn ended(&self) -> i64 {
        self.began + i64::from(self.seconds)
    }
}
