//! An index of memberships by interface.

use std::collections::HashMap;
use std::sync::Arc;

use super::change_log::MemberChange;
use crate::queues::model::Member;
use crate::queues::name::QueueName;

/// Each member's queues. The keys are interfaces in lower case, because Asterisk ignores case
/// when it compares interfaces.
#[derive(Debug, Default)]
pub(super) struct Memberships(HashMap<String, Vec<QueueName>>);

impl Memberships {
    pub(super) fn member_changed(
        &mut self,
        queue: &QueueName,
        change: MemberChange,
        member: &Member,
    ) {
        match change {
            MemberChange::Added => {
                let queues = self.0.entry(member.interface.to_ascii_lowercase());
                queues.or_default().push(queue.clone());
            }
            MemberChange::Removed => self.remove(queue, &member.interface),
            MemberChange::Paused | MemberChange::Unpaused | MemberChange::Updated => {}
        }
    }

    pub(super) fn queue_removed(&mut self, queue: &QueueName, members: &[Arc<Member>]) {
        for member in members {
            self.remove(queue, &member.interface);
        }
    }

    /// Returns the queues of which this interface is a member.
    pub(super) fn of(&self, interface: &str) -> &[QueueName] {
        let queues = self.0.get(&interface.to_ascii_lowercase());
        queues.map_or(&[], Vec::as_slice)
    }

    fn remove(&mut self, queue: &QueueName, interface: &str) {
        let interface = interface.to_ascii_lowercase();
        if let Some(queues) = self.0.get_mut(&interface) {
            queues.retain(|name| !name.eq_ignore_ascii_case(queue));
            if queues.is_empty() {
                self.0.remove(&interface);
            }
        }
    }
}
