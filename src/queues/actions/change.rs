//! The changes that the bridge makes in queues.

/// A change in one queue.
#[derive(Debug, Clone)]
pub enum QueueChange {
    /// Pauses or unpauses a member. A second pause replaces the reason and the time of the
    /// first.
    Pause {
        /// The member's interface.
        interface: String,
        /// True to pause, false to unpause.
        paused: bool,
        /// The pause reason. Without one, Asterisk clears the reason of the pause before.
        reason: Option<String>,
    },
    /// Adds a dynamic member.
    Add(NewMember),
    /// Removes a dynamic member.
    Remove {
        /// The member's interface.
        interface: String,
    },
}

/// A member to be added.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// What Asterisk dials.
    pub interface: String,
    /// Display name.
    pub name: String,
    /// The device whose state Asterisk watches; `None` to watch the interface itself.
    pub state_interface: Option<String>,
    /// Asterisk rings members with a lower penalty first.
    pub penalty: u32,
    /// Whether the member starts paused.
    pub paused: bool,
    /// The reason of that pause.
    pub reason: Option<String>,
}
