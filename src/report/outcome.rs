//! How a caller left a queue.

/// How a caller left a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerOutcome {
    /// The caller left without an answer, for example because the queue's timeout ended.
    Left,
    /// A member answered.
    Answered {
        /// Whether that was within the queue's service level.
        within_service_level: bool,
    },
    /// The caller hung up.
    Abandoned,
}

impl CallerOutcome {
    /// Returns the number that is stored.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Left => 0,
            Self::Answered {
                within_service_level: false,
            } => 1,
            Self::Abandoned => 2,
            Self::Answered {
                within_service_level: true,
            } => 3,
        }
    }

    /// Returns the outcome with this number. An unknown number is [`Self::Left`].
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        match number {
            1 | 3 => Self::Answered {
                within_service_level: number == 3,
            },
            2 => Self::Abandoned,
            _ => Self::Left,
        }
    }
}
