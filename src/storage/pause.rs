//! A stored pause.

/// A pause whose end the bridge has promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPause {
    /// A random number that the caller chooses.
    pub id: u64,
    /// The configured name of the PBX.
    pub pbx: String,
    /// The name of the organization.
    pub organization: String,
    /// The queue's name on the PBX.
    pub queue: String,
    /// The member's interface.
    pub interface: String,
    /// The reason of the pause.
    pub reason: Option<String>,
    /// When the bridge was about to send the pause: Unix time in milliseconds, on the bridge's
    /// clock.
    pub sent_at: i64,
    /// When the bridge ends the pause: Unix time in milliseconds, on the bridge's clock. `None`
    /// for a pause without an end that replaces a pause with an end.
    pub ends_at: Option<i64>,
    /// Asterisk's `LastPause` of this pause, once it is known.
    pub last_pause: Option<i64>,
    /// The user who paused the agent.
    pub user: String,
    /// The id of the request that paused the agent.
    pub request_id: String,
}
