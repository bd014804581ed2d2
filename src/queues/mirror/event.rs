//! What Asterisk's events mean to the live state.

use crate::ami::Message;
use crate::queues::decode;
use crate::queues::model::Member;

/// An event that says something about queues.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    /// A member as it is now; with [`MemberEvent::Removed`], as it was.
    Member {
        queue: String,
        what: MemberEvent,
        member: Member,
    },
    /// Callers of the queue come, go, or are rung for: its figures have changed.
    /// The member named, if any, has begun or ended a call, which changes it
    /// without an event of its own.
    Calls {
        queue: String,
        member: Option<String>,
    },
    /// app_queue was unloaded: there are no queues.
    Unloaded,
    /// app_queue was loaded, or its configuration read again: anything may have
    /// changed, without any event.
    Reloaded,
}

/// Why the state of a member is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberEvent {
    Added,
    Removed,
    Paused,
    Other,
}

impl Event {
    /// `None` for what has no meaning here.
    pub(super) fn of(message: &Message) -> Option<Self> {
        let text = |value: Option<&[u8]>| Some(String::from_utf8_lossy(value?).into_owned());
        let queue = || text(message.get("Queue"));
        // Names of members come after it, and can hold what looks like headers. Those of
        // callers come before, but Asterisk writes their line feeds as `\n` in events.
        let member = |what| {
            Some(Self::Member {
                queue: queue()?,
                what,
                member: decode::event_member(message)?,
            })
        };
        match message.event()? {
            b"QueueMemberAdded" => member(MemberEvent::Added),
            b"QueueMemberRemoved" => member(MemberEvent::Removed),
            b"QueueMemberPause" => member(MemberEvent::Paused),
            b"QueueMemberStatus" | b"QueueMemberPenalty" | b"QueueMemberRinginuse" => {
                member(MemberEvent::Other)
            }
            b"QueueCallerJoin"
            | b"QueueCallerLeave"
            | b"QueueCallerAbandon"
            | b"AgentCalled"
            | b"AgentRingNoAnswer" => Some(Self::Calls {
                queue: queue()?,
                member: None,
            }),
            b"AgentConnect" | b"AgentComplete" | b"AgentDump" => Some(Self::Calls {
                queue: queue()?,
                member: text(message.get("Interface")),
            }),
            b"Unload" => {
                let module = message.text("Module")?;
                let is_done = message.get("Status") == Some(b"Success");
                (module.starts_with("app_queue") && is_done).then_some(Self::Unloaded)
            }
            b"Load" | b"Reload" => {
                let module = message.text("Module")?;
                // "All" is the whole Asterisk; 13 to 22 name the module with or
                // without its ending.
                (module == "All" || module.starts_with("app_queue")).then_some(Self::Reloaded)
            }
            _ => None,
        }
    }
}
