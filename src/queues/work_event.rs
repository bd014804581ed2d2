//! What the day's work is made of: members who log in, pause and take calls, and callers.

use std::sync::Arc;

use super::name::QueueName;

/// Something that the day's work depends on. Times are Unix seconds on the bridge's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkEvent {
    /// Asterisk has reported a member for the first time over this link, or a change that
    /// matters.
    Member {
        /// When the bridge learned it.
        at: i64,
        /// The queue's name on the PBX.
        queue: QueueName,
        /// The member's interface.
        interface: Arc<str>,
        /// The member; `None` if it is no longer a member of the queue.
        member: Option<WorkMember>,
    },
    /// Something has happened to a call.
    Call {
        /// When it happened.
        at: i64,
        /// The queue's name on the PBX.
        queue: QueueName,
        /// What has happened.
        call: WorkCall,
    },
    /// From now on, the bridge sees all changes.
    Seen {
        /// When that began.
        at: i64,
    },
    /// The bridge no longer sees changes, because it has lost the link or app_queue is unloaded.
    Unseen {
        /// When anything was last received from Asterisk.
        last_sight: i64,
    },
}

impl WorkEvent {
    /// Returns the event's time, in Unix seconds.
    #[must_use]
    pub fn at(&self) -> i64 {
        match self {
            Self::Member { at, .. }
            | Self::Call { at, .. }
            | Self::Seen { at }
            | Self::Unseen { last_sight: at } => *at,
        }
    }
}

/// A time that Asterisk has reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkTime {
    /// Asterisk's number, which identifies the login or the pause; 0 means never.
    pub reported: i64,
    /// The time on the bridge's clock.
    pub unix: i64,
}

/// A member of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkMember {
    /// The display name.
    pub name: Arc<str>,
    /// When the member was added, or Asterisk was restarted or reloaded. Asterisk before 16.23,
    /// 18.9 and 20 does not report it.
    pub login: WorkTime,
    /// The pause that stands.
    pub pause: Option<WorkPause>,
}

/// A pause that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkPause {
    /// When the pause began, or Asterisk was restarted or reloaded.
    pub began: WorkTime,
    /// The reason; empty for none.
    pub reason: Arc<str>,
}

/// What has happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkCall {
    /// A caller has joined the queue.
    Joined {
        /// The unique id of the caller's channel.
        unique_id: String,
    },
    /// A member has answered a caller.
    Answered {
        /// The unique id of the caller's channel.
        unique_id: String,
        /// How long the caller waited, in seconds.
        wait_seconds: u32,
        /// Whether that was within the queue's service level.
        within_service_level: bool,
    },
    /// A caller has hung up while waiting.
    Abandoned {
        /// The unique id of the caller's channel.
        unique_id: String,
        /// How long the caller waited, in seconds.
        wait_seconds: u32,
    },
    /// A caller has left the queue, for any reason. Asterisk reports the reason before or after.
    Left {
        /// The unique id of the caller's channel.
        unique_id: String,
    },
    /// A member's call has ended.
    Completed {
        /// The member's interface.
        interface: Arc<str>,
        /// The length of the call, in seconds.
        talk_seconds: u32,
        /// The wrap-up time that follows, in seconds.
        wrap_up_seconds: u32,
    },
    /// A member has missed a call.
    Missed {
        /// The member's interface.
        interface: Arc<str>,
    },
}
