//! Changes to a queue's members.

/// A change to the members of one queue.
#[derive(Debug, Clone)]
pub enum QueueChange {
    /// Pauses or unpauses a member. If the member is already paused, a pause replaces the
    /// reason and the pause time.
    Pause {
        /// The member's interface.
        interface: String,
        /// True to pause, false to unpause.
        paused: bool,
        /// The pause reason. With `None`, Asterisk clears the previous pause reason.
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
}
