//! A member of a queue, and how Asterisk shows it.

use super::event::{Event, Lines};

/// What Asterisk keeps of an interface, a name or a reason; what is longer is cut
/// off without a word.
const FIELD: usize = 79;

/// A member.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    pub(super) interface: String,
    pub(super) name: String,
    /// The device whose state counts.
    pub(super) state_interface: String,
    /// Added at run time, not in queues.conf.
    pub(super) is_dynamic: bool,
    pub(super) penalty: u32,
    pub(super) paused: bool,
    pub(super) reason: String,
    /// Unix seconds; 0 is never, here and below.
    pub(super) last_pause: u64,
    pub(super) login_time: u64,
    pub(super) calls_taken: u32,
    pub(super) last_call: u64,
    pub(super) in_call: bool,
    /// Asterisk's code of the device's state.
    pub(super) status: u8,
    pub(super) ring_in_use: bool,
    pub(super) wrapup: u32,
}

impl Member {
    /// An empty name or state interface is the interface.
    pub(super) fn new(interface: &str, name: &str, state_interface: &str, now: u64) -> Self {
        let or_interface = |text: &str| cut(if text.is_empty() { interface } else { text });
        Self {
            interface: cut(interface),
            name: or_interface(name),
            state_interface: or_interface(state_interface),
            is_dynamic: true,
            login_time: now,
            ..Self::default()
        }
    }

    pub(super) fn has_interface(&self, interface: &str) -> bool {
        self.interface.eq_ignore_ascii_case(interface)
    }

    /// Pauses or unpauses. An unpause forgets the reason, and keeps the time of
    /// the last pause; a pause of one who is paused replaces both.
    pub(super) fn set_paused(&mut self, paused: bool, reason: &str, now: u64) {
        self.paused = paused;
        if paused {
            self.reason = cut(reason);
            self.last_pause = now;
        } else {
            self.reason.clear();
        }
    }

    /// Asterisk's place in the order of members: it hashes what stands behind the
    /// technology's name.
    pub(super) fn bucket(&self) -> u32 {
        let start = self.interface.find('/').unwrap_or(0);
        let bytes = self.interface.as_bytes()[start..].iter().take(5);
        let squeezed = bytes.map(|byte| match byte {
            0..32 => 0,
            32..=96 => u32::from(byte - 32),
            _ => u32::from(byte - 64),
        });
        let hash = squeezed.enumerate().fold(0, |hash: u32, (place, value)| {
            hash.wrapping_add(value << (place * 6))
        });
        hash % 37
    }

    /// As a row of QueueStatus.
    pub(super) fn row(&self, queue: &str, id: Option<&str>) -> String {
        let lines = Lines::default()
            .put("Event", "QueueMember")
            .put("Queue", queue)
            .put("Name", &self.name)
            .put("Location", &self.interface)
            .append(&self.state())
            .put("Wrapuptime", self.wrapup);
        lines.put_some("ActionID", id).end()
    }

    /// An event of that name about it. An unpause tells its reason in the event
    /// only.
    pub(super) fn event(&self, name: &str, queue: &str) -> Event {
        let body = Lines::default()
            .put("Queue", queue)
            .put("MemberName", &self.name)
            .put("Interface", &self.interface)
            .append(&self.state())
            .put("Ringinuse", u8::from(self.ring_in_use))
            .put("Wrapuptime", self.wrapup);
        Event::agent(name, &body)
    }

    fn state(&self) -> Lines {
        let membership = if self.is_dynamic { "dynamic" } else { "static" };
        Lines::default()
            .put("StateInterface", &self.state_interface)
            .put("Membership", membership)
            .put("Penalty", self.penalty)
            .put("CallsTaken", self.calls_taken)
            .put("LastCall", self.last_call)
            .put("LastPause", self.last_pause)
            .put("LoginTime", self.login_time)
            .put("InCall", u8::from(self.in_call))
            .put("Status", self.status)
            .put("Paused", u8::from(self.paused))
            .put("PausedReason", &self.reason)
    }

    /// Whether a call may ring there now.
    pub(super) fn is_available(&self, now: u64, queue_wrapup: u32) -> bool {
        let wrapup = if self.wrapup > 0 {
            self.wrapup
        } else {
            queue_wrapup
        };
        let is_free = match self.status {
            0 | 1 => true,
            2 | 6 | 7 | 8 => self.ring_in_use,
            _ => false,
        };
        is_free
            && !self.paused
            && (self.last_call == 0 || now >= self.last_call + u64::from(wrapup))
    }
}

/// Asterisk cuts between bytes; here a character stays whole, so that every text
/// can be told.
pub(super) fn cut(text: &str) -> String {
    let mut end = text.len().min(FIELD);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_asterisks_order() {
        // As Asterisk 22 lists them.
        let listed = [
            1014, 1004, 1028, 1018, 1008, 1021, 1011, 1001, 1025, 1015, 1005, 1029, 1019, 1009,
            1022, 1012, 1002, 1026, 1016, 1006, 1023, 1013, 1003, 1027, 1017, 1007, 1030, 1020,
            1010, 1024,
        ];
        let mut sorted: Vec<u32> = (1001..=1030).collect();
        sorted
            .sort_by_key(|n| Member::new(&format!("Local/{n}@globex-agents"), "", "", 0).bucket());
        assert_eq!(sorted, listed);
    }

    #[test]
    fn long_texts_are_cut() {
        let member = Member::new("A/1", &"x".repeat(80), "", 0);
        assert_eq!(
            (member.name.len(), member.state_interface.as_str()),
            (79, "A/1")
        );
        assert_eq!(cut(&"é".repeat(40)).len(), 78);
    }

    #[test]
    fn a_pause_replaces_and_an_unpause_forgets() {
        let mut member = Member::new("A/1", "", "", 1);
        for (paused, reason, now, expected) in [
            (true, "Lunch", 5, (true, "Lunch", 5)),
            (true, "", 6, (true, "", 6)),
            (true, "Meeting", 7, (true, "Meeting", 7)),
            (false, "Back", 8, (false, "", 7)),
        ] {
            member.set_paused(paused, reason, now);
            let is = (member.paused, member.reason.as_str(), member.last_pause);
            assert_eq!(is, expected);
        }
    }
}
