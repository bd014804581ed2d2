//! Queue members, and their AMI messages.

use super::device_state;
use crate::simulator::event::AmiEvent;
use crate::simulator::headers::Headers;

/// The maximum size of an interface, a name or a reason, in bytes. Asterisk silently truncates
/// longer texts.
const MAX_FIELD_BYTES: usize = 79;

/// A member of a queue. Times are Unix seconds, and 0 means never.
#[derive(Debug, Clone, Default)]
pub(crate) struct Member {
    pub(crate) interface: String,
    pub(crate) name: String,
    /// The device whose state decides whether the member is called.
    pub(crate) state_interface: String,
    /// Whether the member was added at run time rather than in `queues.conf`.
    pub(crate) is_dynamic: bool,
    pub(crate) penalty: u32,
    pub(crate) paused: bool,
    pub(crate) reason: String,
    pub(crate) last_pause: u64,
    pub(crate) login_time: u64,
    pub(crate) calls_taken: u32,
    pub(crate) last_call: u64,
    /// The queue of the last call, or empty if it was not recorded.
    pub(crate) last_queue: String,
    pub(crate) in_call: bool,
    /// The device state, as one of Asterisk's codes.
    pub(crate) status: u8,
    pub(crate) ring_in_use: bool,
    /// The wrap-up time in seconds. If it is 0, the queue's wrap-up time applies.
    pub(crate) wrapup: u32,
}

impl Member {
    /// Creates a dynamic member. An empty name or state interface is replaced with the
    /// interface.
    pub(crate) fn new(interface: &str, name: &str, state_interface: &str, now: u64) -> Self {
        let or_interface =
            |text: &str| truncate_field(if text.is_empty() { interface } else { text });
        Self {
            interface: truncate_field(interface),
            name: or_interface(name),
            state_interface: or_interface(state_interface),
            is_dynamic: true,
            login_time: now,
            ..Self::default()
        }
    }

    pub(crate) fn has_interface(&self, interface: &str) -> bool {
        self.interface.eq_ignore_ascii_case(interface)
    }

    /// Pauses or unpauses the member. Pausing a paused member replaces the reason and the time
    /// of the last pause. Unpausing clears only the reason.
    pub(crate) fn set_paused(&mut self, paused: bool, reason: &str, now: u64) {
        self.paused = paused;
        if paused {
            self.reason = truncate_field(reason);
            self.last_pause = now;
        } else {
            self.reason.clear();
        }
    }

    /// Returns the hash bucket in which Asterisk stores the member. Buckets determine the
    /// order of members in lists. Asterisk hashes five bytes of the interface, beginning at
    /// the slash.
    pub(crate) fn hash_bucket(&self) -> u32 {
        const BUCKETS: u32 = 37;
        let start = self.interface.find('/').unwrap_or(0);
        let bytes = self.interface.as_bytes()[start..].iter().take(5);
        let compressed = bytes.map(|byte| match byte {
            0..32 => 0,
            32..=96 => u32::from(byte - 32),
            _ => u32::from(byte - 64),
        });
        let hash = compressed.enumerate().fold(0, |hash: u32, (index, value)| {
            hash.wrapping_add(value << (index * 6))
        });
        hash % BUCKETS
    }

    /// Returns the QueueMember message for a QueueStatus list.
    pub(crate) fn queue_member(&self, queue: &str, action_id: Option<&str>) -> String {
        Headers::default()
            .with("Event", "QueueMember")
            .with("Queue", queue)
            .with("Name", &self.name)
            .with("Location", &self.interface)
            .with_all(&self.state_headers())
            .with("Wrapuptime", self.wrapup)
            .with_optional("ActionID", action_id)
            .into_message()
    }

    /// Returns an event about the member.
    pub(crate) fn event(&self, name: &str, queue: &str) -> AmiEvent {
        let headers = Headers::default()
            .with("Queue", queue)
            .with("MemberName", &self.name)
            .with("Interface", &self.interface)
            .with_all(&self.state_headers())
            .with("Ringinuse", u8::from(self.ring_in_use))
            .with("Wrapuptime", self.wrapup);
        AmiEvent::agent(name, &headers)
    }

    /// Returns the headers that lists and events have in common.
    fn state_headers(&self) -> Headers {
        let membership = if self.is_dynamic { "dynamic" } else { "static" };
        Headers::default()
            .with("StateInterface", &self.state_interface)
            .with("Membership", membership)
            .with("Penalty", self.penalty)
            .with("CallsTaken", self.calls_taken)
            .with("LastCall", self.last_call)
            .with("LastPause", self.last_pause)
            .with("LoginTime", self.login_time)
            .with("InCall", u8::from(self.in_call))
            .with("Status", self.status)
            .with("Paused", u8::from(self.paused))
            .with("PausedReason", &self.reason)
    }

    /// Returns true if a queue may call the member at `now`, in Unix seconds. `queue_wrapup` is
    /// the queue's wrap-up time in seconds. The member's own wrap-up time takes precedence.
    pub(crate) fn is_available(&self, now: u64, queue_wrapup: u32) -> bool {
        use device_state::{IN_USE, NOT_IN_USE, ON_HOLD, RINGING, RINGING_IN_USE, UNKNOWN};
        let wrapup = if self.wrapup > 0 {
            self.wrapup
        } else {
            queue_wrapup
        };
        let can_ring = match self.status {
            UNKNOWN | NOT_IN_USE => true,
            IN_USE | RINGING | RINGING_IN_USE | ON_HOLD => self.ring_in_use,
            _ => false,
        };
        can_ring
            && !self.paused
            && (self.last_call == 0 || now >= self.last_call + u64::from(wrapup))
    }
}

/// Truncates a text to the size that Asterisk stores. Asterisk may truncate inside a UTF-8
/// character. The simulator does not, because Rust strings must be valid UTF-8.
pub(crate) fn truncate_field(text: &str) -> String {
    let mut end = text.len().min(MAX_FIELD_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_buckets_produce_the_same_order_as_asterisk() {
        // Asterisk 22 lists these members in this order.
        let listed = [
            1014, 1004, 1028, 1018, 1008, 1021, 1011, 1001, 1025, 1015, 1005, 1029, 1019, 1009,
            1022, 1012, 1002, 1026, 1016, 1006, 1023, 1013, 1003, 1027, 1017, 1007, 1030, 1020,
            1010, 1024,
        ];
        let mut sorted: Vec<u32> = (1001..=1030).collect();
        sorted.sort_by_key(|number| {
            let interface = format!("Local/{number}@globex-agents");
            Member::new(&interface, "", "", 0).hash_bucket()
        });
        assert_eq!(sorted, listed);
    }

    #[test]
    fn long_fields_are_truncated() {
        let member = Member::new("A/1", &"x".repeat(80), "", 0);
        assert_eq!(
            (member.name.len(), member.state_interface.as_str()),
            (79, "A/1")
        );
        assert_eq!(truncate_field(&"é".repeat(40)).len(), 78);
    }

    #[test]
    fn pausing_replaces_the_reason_and_unpausing_clears_it() {
        let mut member = Member::new("A/1", "", "", 1);
        for (paused, reason, now, expected) in [
            (true, "Lunch", 5, (true, "Lunch", 5)),
            (true, "", 6, (true, "", 6)),
            (true, "Meeting", 7, (true, "Meeting", 7)),
            (false, "Back", 8, (false, "", 7)),
        ] {
            member.set_paused(paused, reason, now);
            let pause = (member.paused, member.reason.as_str(), member.last_pause);
            assert_eq!(pause, expected);
        }
    }
}
