//! A call, and its channels as Asterisk tells of them.

use std::time::Duration;

use super::event::Lines;

/// Asterisk's word for what is not known, in events.
const UNKNOWN: &str = "<unknown>";

/// One end of a call.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) linked_id: String,
    pub(super) number: String,
    pub(super) caller_name: String,
    /// Whom it talks to.
    pub(super) connected: Option<(String, String)>,
    pub(super) context: String,
    pub(super) extension: String,
    pub(super) priority: u32,
    /// Asterisk's code of its state.
    pub(super) state: u8,
}

impl Channel {
    /// As in an event: `prefix` is empty, or `Dest` for the agent's channel.
    pub(super) fn snapshot(&self, prefix: &str) -> Lines {
        let description = match self.state {
            0 => "Down",
            5 => "Ringing",
            _ => "Up",
        };
        let known = |text: &str| {
            if text.is_empty() {
                UNKNOWN.to_owned()
            } else {
                text.to_owned()
            }
        };
        let (number, name) = self.connected.clone().unwrap_or_default();
        let state = self.state.to_string();
        let priority = self.priority.to_string();
        let fields = [
            ("Channel", self.name.clone()),
            ("ChannelState", state),
            ("ChannelStateDesc", description.to_owned()),
            ("CallerIDNum", known(&self.number)),
            ("CallerIDName", known(&self.caller_name)),
            ("ConnectedLineNum", known(&number)),
            ("ConnectedLineName", known(&name)),
            ("Language", "en".to_owned()),
            ("AccountCode", String::new()),
            ("Context", self.context.clone()),
            ("Exten", self.extension.clone()),
            ("Priority", priority),
            ("Uniqueid", self.id.clone()),
            ("Linkedid", self.linked_id.clone()),
        ];
        let lines = Lines::default();
        fields.iter().fold(lines, |lines, (name, value)| {
            lines.put(&format!("{prefix}{name}"), value)
        })
    }
}

/// An agent's telephone that rings, or that is talked to.
#[derive(Debug, Clone)]
pub(super) struct Ring {
    pub(super) interface: String,
    pub(super) member_name: String,
    pub(super) device: String,
    pub(super) channel: Channel,
    pub(super) since: Duration,
}

impl Ring {
    /// What events about it have in common.
    pub(super) fn body(&self, caller: &Channel, queue: &str) -> Lines {
        caller
            .snapshot("")
            .append(&self.channel.snapshot("Dest"))
            .put("Queue", queue)
            .put("Interface", &self.interface)
            .put("MemberName", &self.member_name)
    }
}

/// How far a call is.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// In the queue; these telephones ring.
    Waiting(Vec<Ring>),
    /// With an agent.
    Talking(Box<Talk>),
}

/// A talk with an agent.
#[derive(Debug, Clone)]
pub(super) struct Talk {
    pub(super) ring: Ring,
    pub(super) since: Duration,
    pub(super) hold: Duration,
}

/// A call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) queue: String,
    pub(super) channel: Channel,
    pub(super) joined: Duration,
    pub(super) first_position: usize,
    /// How often telephones were rung for it.
    pub(super) attempt: u32,
    pub(super) phase: Phase,
}

impl Call {
    /// As a row of QueueStatus.
    pub(super) fn row(&self, position: usize, now: Duration, id: Option<&str>) -> String {
        let known = |text: &str| {
            if text.is_empty() {
                "unknown".to_owned()
            } else {
                text.to_owned()
            }
        };
        let lines = Lines::default()
            .put("Event", "QueueEntry")
            .put("Queue", &self.queue)
            .put("Position", position)
            .put("Channel", &self.channel.name)
            .put("Uniqueid", &self.channel.id)
            .put("CallerIDNum", known(&self.channel.number))
            .put("CallerIDName", known(&self.channel.caller_name))
            .put("ConnectedLineNum", "unknown")
            .put("ConnectedLineName", "unknown")
            .put("Wait", now.saturating_sub(self.joined).as_secs())
            .put("Priority", 0);
        lines.put_some("ActionID", id).end()
    }
}
