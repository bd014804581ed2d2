//! Queue calls. All times are on the simulated clock.

use std::time::Duration;

use super::channel::Channel;
use crate::simulator::headers::Headers;

/// Identifies a call inside the simulator. It never appears in AMI messages.
pub(crate) type CallId = u64;

/// A call to a queue.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) queue: String,
    /// The caller's channel.
    pub(crate) channel: Channel,
    pub(crate) joined_at: Duration,
    /// The caller's position in the queue when the caller joined, counted from 1.
    pub(crate) original_position: usize,
    /// The number of times that the queue has called members for this call.
    pub(crate) ring_attempts: u32,
    pub(crate) phase: CallPhase,
}

#[derive(Debug, Clone)]
pub(crate) enum CallPhase {
    /// The caller waits in the queue while these members' devices ring.
    Waiting(Vec<AgentLeg>),
    /// The caller talks to an agent.
    Answered(Box<Conversation>),
}

/// The agent's side of a call.
#[derive(Debug, Clone)]
pub(crate) struct AgentLeg {
    pub(crate) interface: String,
    pub(crate) member_name: String,
    /// The member's state interface.
    pub(crate) device: String,
    pub(crate) channel: Channel,
    /// The time at which the device began to ring.
    pub(crate) ringing_since: Duration,
}

/// A conversation between a caller and an agent.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub(crate) agent: AgentLeg,
    pub(crate) started_at: Duration,
    /// How long the caller waited in the queue.
    pub(crate) hold_time: Duration,
}

impl AgentLeg {
    /// Returns the headers that all events about the leg have in common.
    pub(crate) fn headers(&self, caller: &Channel, queue: &str) -> Headers {
        caller
            .headers("")
            .with_all(&self.channel.headers("Dest"))
            .with("Queue", queue)
            .with("Interface", &self.interface)
            .with("MemberName", &self.member_name)
    }
}

impl Call {
    /// Returns the QueueEntry message for a QueueStatus list.
    pub(crate) fn queue_entry(
        &self,
        position: usize,
        now: Duration,
        action_id: Option<&str>,
    ) -> String {
        // Asterisk writes `unknown` in lists, but `<unknown>` in events about the call.
        let or_unknown = |text: &str| {
            if text.is_empty() {
                "unknown".to_owned()
            } else {
                text.to_owned()
            }
        };
        Headers::default()
            .with("Event", "QueueEntry")
            .with("Queue", &self.queue)
            .with("Position", position)
            .with("Channel", &self.channel.name)
            .with("Uniqueid", &self.channel.unique_id)
            .with("CallerIDNum", or_unknown(&self.channel.caller_id_number))
            .with("CallerIDName", or_unknown(&self.channel.caller_id_name))
            .with("ConnectedLineNum", "unknown")
            .with("ConnectedLineName", "unknown")
            .with("Wait", now.saturating_sub(self.joined_at).as_secs())
            .with("Priority", 0)
            .with_optional("ActionID", action_id)
            .into_message()
    }
}
