//! Changes to a queue's members.

/// A change to the members of one queue.
#[derive(Debug, Clone)]
pub enum QueueChange {
    /// Pauses or unpauses a member.
    Pause(PauseChange),
    /// Adds a dynamic member.
    Add(NewMember),
    /// Removes a dynamic member.
    Remove {
        /// The member's interface.
        interface: String,
    },
}

/// Pauses or unpauses a member. If the member is already paused, a pause replaces the reason
/// and the pause time.
#[derive(Debug, Clone)]
pub struct PauseChange {
    /// The member's interface.
    pub interface: String,
    /// True to pause, false to unpause.
    pub paused: bool,
    /// The pause reason. With `None`, Asterisk clears the previous pause reason.
    pub reason: Option<String>,
    /// When the bridge ends the pause, in Unix milliseconds. `None` for a pause that the bridge
    /// does not end because of this request.
    pub ends_at: Option<i64>,
    /// Whether a member who is already paused stays paused as before.
    pub keep_existing: bool,
}

impl PauseChange {
    /// Returns whether the member must be known before the pause is sent.
    #[must_use]
    pub fn depends_on_member(&self) -> bool {
        self.ends_at.is_some() || self.keep_existing
    }
}

/// The result of a successful change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeResult {
    /// Asterisk made the change.
    Made,
    /// The member was already paused, and nothing was sent.
    KeptExisting,
}

/// A member to add.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// The interface that Asterisk dials.
    pub interface: String,
    /// The display name.
    pub name: String,
    /// The device whose state Asterisk watches; `None` to watch the interface itself.
    pub state_interface: Option<String>,
    /// The penalty. Asterisk rings members with a lower penalty first.
    pub penalty: u32,
    /// Whether the member is paused from the start.
    pub paused: bool,
    /// The pause reason. Ignored unless `paused` is true.
    pub reason: Option<String>,
    /// When the bridge ends the pause, in Unix milliseconds. Ignored unless `paused` is true.
    pub ends_at: Option<i64>,
}

impl QueueChange {
    /// Returns when the bridge ends the pause that the change makes, in Unix milliseconds.
    #[must_use]
    pub fn ends_at(&self) -> Option<i64> {
        match self {
            Self::Pause(pause) => pause.ends_at,
            Self::Add(member) => member.ends_at,
            Self::Remove { .. } => None,
        }
    }

    /// Returns the member's interface.
    #[must_use]
    pub fn interface(&self) -> &str {
        match self {
            Self::Pause(pause) => &pause.interface,
            Self::Add(member) => &member.interface,
            Self::Remove { interface } => interface,
        }
    }
}
