//! Creates channels, with names and unique IDs in Asterisk's format.

use super::call::Call;
use super::channel::{Channel, ChannelState};
use super::state::SimulatedPbx;
use crate::simulator::behavior::CallerId;

impl SimulatedPbx {
    /// Creates the channel of a caller who calls a queue over a SIP trunk.
    pub(super) fn create_trunk_channel(&mut self, queue: &str, caller_id: CallerId) -> Channel {
        let number = self.channels_created;
        self.channels_created += 1;
        let unique_id = format!("{}.{number}", self.unix_seconds());
        Channel {
            name: format!("PJSIP/trunk-{number:08x}"),
            linked_id: unique_id.clone(),
            ..caller_channel(queue, caller_id, unique_id)
        }
    }

    /// Creates the channel that `channel originate Local/QUEUE@callers` creates for a caller.
    pub(super) fn create_local_caller_channel(&mut self, queue: &str) -> Channel {
        // A Local channel is a pair of channels. The second one runs the dialplan.
        let (first, second) = (self.channels_created, self.channels_created + 1);
        self.channels_created += 2;
        let local_number = self.take_local_channel_number();
        let caller_id = CallerId {
            number: "0501234567".to_owned(),
            name: "Sample Caller".to_owned(),
        };
        let time = self.unix_seconds();
        Channel {
            name: format!("Local/{queue}@callers-{local_number:08x};2"),
            linked_id: format!("{time}.{first}"),
            ..caller_channel(queue, caller_id, format!("{time}.{second}"))
        }
    }

    /// Creates the channel on which Asterisk rings a member for a call.
    pub(super) fn create_agent_channel(&mut self, interface: &str, call: &Call) -> Channel {
        let number = self.channels_created;
        let (technology, address) = interface.split_once('/').unwrap_or(("", interface));
        let is_local = technology.eq_ignore_ascii_case("local");
        self.channels_created += if is_local { 2 } else { 1 };
        let name = if is_local {
            format!("{interface}-{:08x};1", self.take_local_channel_number())
        } else {
            format!("{interface}-{number:08x}")
        };
        let context = address
            .split_once('@')
            .map_or("from-internal", |(_, context)| context);
        Channel {
            name,
            unique_id: format!("{}.{number}", self.unix_seconds()),
            linked_id: call.channel.linked_id.clone(),
            state: ChannelState::Down,
            caller_id_number: call.queue.clone(),
            caller_id_name: String::new(),
            connected_line_number: call.channel.caller_id_number.clone(),
            connected_line_name: call.channel.caller_id_name.clone(),
            context: context.to_owned(),
            extension: call.queue.clone(),
            priority: 1,
        }
    }

    fn take_local_channel_number(&mut self) -> u64 {
        self.local_channels_created += 1;
        self.local_channels_created - 1
    }
}

/// Creates the channel of a caller who has reached the Queue application in the
/// `asterisk-sample` dialplan. Leaves the name and the linked ID empty.
fn caller_channel(queue: &str, caller_id: CallerId, unique_id: String) -> Channel {
    Channel {
        name: String::new(),
        unique_id,
        linked_id: String::new(),
        state: ChannelState::Up,
        caller_id_number: caller_id.number,
        caller_id_name: caller_id.name,
        connected_line_number: String::new(),
        connected_line_name: String::new(),
        context: "callers".to_owned(),
        extension: queue.to_owned(),
        priority: 4,
    }
}
