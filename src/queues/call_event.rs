//! Decodes Asterisk's events about calls.

use super::work_event::WorkCall;
use crate::ami::Message;

/// An event about a call. [`WorkCall`] values that depend on the queue or the member are not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallEvent {
    /// The queue as the event names it.
    pub(super) queue: String,
    pub(super) call: WorkCall,
}

impl CallEvent {
    /// Decodes an event. Returns `None` for other events, and if a key field is missing.
    pub(super) fn of(message: &Message) -> Option<Self> {
        let text = |name| message.text(name).map(std::borrow::Cow::into_owned);
        let unique_id = || text("Uniqueid");
        let interface = || Some(message.text("Interface")?.as_ref().into());
        let seconds = |name| {
            let value = message.get(name)?;
            std::str::from_utf8(value).ok()?.parse::<u32>().ok()
        };
        let call = match message.event()? {
            b"QueueCallerJoin" => WorkCall::Joined {
                unique_id: unique_id()?,
            },
            b"QueueCallerLeave" => WorkCall::Left {
                unique_id: unique_id()?,
            },
            b"QueueCallerAbandon" => WorkCall::Abandoned {
                unique_id: unique_id()?,
                wait_seconds: seconds("HoldTime").unwrap_or_default(),
            },
            b"AgentConnect" => WorkCall::Answered {
                unique_id: unique_id()?,
                wait_seconds: seconds("HoldTime").unwrap_or_default(),
                within_service_level: false,
            },
            b"AgentComplete" => WorkCall::Completed {
                interface: interface()?,
                talk_seconds: seconds("TalkTime").unwrap_or_default(),
                wrap_up_seconds: 0,
            },
            b"AgentRingNoAnswer" => WorkCall::Missed {
                interface: interface()?,
            },
            _ => return None,
        };
        Some(Self {
            queue: text("Queue")?,
            call,
        })
    }
}
