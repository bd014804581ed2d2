//! The Asterisk events that the mirror uses.

use crate::ami::Message;
use crate::queues::decode;
use crate::queues::model::Member;

/// An event about queues.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::queues::mirror) enum Event {
    /// A member's state after the event, or before it if the member was removed.
    Member {
        queue: String,
        kind: MemberEventKind,
        member: Box<Member>,
    },
    /// A caller has joined or left the queue, or a member is ringing, so the queue's statistics
    /// have changed. If the event names a member, the member's call has started or ended. No
    /// separate event reports the resulting change to the member.
    Calls {
        queue: String,
        member: Option<String>,
    },
    /// A member's call from this queue has ended.
    CallCompleted { queue: String, member: String },
    /// app_queue was unloaded, so there are no queues.
    Unloaded,
    /// app_queue was loaded or reloaded. Anything may have changed without an event.
    Reloaded,
}

/// The kind of event that reports a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::queues::mirror) enum MemberEventKind {
    Added,
    Removed,
    Paused,
    Other,
}

impl Event {
    /// Decodes an event. Returns `None` if the mirror does not use the event.
    pub(in crate::queues::mirror) fn of(message: &Message) -> Option<Self> {
        let text = |value: Option<&[u8]>| Some(String::from_utf8_lossy(value?).into_owned());
        let queue = || text(message.get("Queue"));
        // A member's name can contain text that looks like a header, but Asterisk writes the
        // member's name after `Queue`. It writes a caller's name before `Queue`, but escapes line
        // feeds in it.
        let member = |kind| {
            Some(Self::Member {
                queue: queue()?,
                kind,
                member: Box::new(decode::member_from_event(message)?),
            })
        };
        match message.event()? {
            b"QueueMemberAdded" => member(MemberEventKind::Added),
            b"QueueMemberRemoved" => member(MemberEventKind::Removed),
            b"QueueMemberPause" => member(MemberEventKind::Paused),
            b"QueueMemberStatus" | b"QueueMemberPenalty" | b"QueueMemberRinginuse" => {
                member(MemberEventKind::Other)
            }
            b"QueueCallerJoin"
            | b"QueueCallerLeave"
            | b"QueueCallerAbandon"
            | b"AgentCalled"
            | b"AgentRingNoAnswer" => Some(Self::Calls {
                queue: queue()?,
                member: None,
            }),
            b"AgentComplete" => Some(Self::CallCompleted {
                queue: queue()?,
                member: text(message.get("Interface"))?,
            }),
            b"AgentConnect" | b"AgentDump" => Some(Self::Calls {
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
                // "All" means all modules. Asterisk 13 to 22 write module names with or without
                // `.so`.
                (module == "All" || module.starts_with("app_queue")).then_some(Self::Reloaded)
            }
            _ => None,
        }
    }
}
