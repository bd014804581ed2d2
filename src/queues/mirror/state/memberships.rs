//! An index of memberships by interface, so that the cost of finding an agent's memberships does
//! not depend on the size of the PBX.

use std::collections::HashMap;
use std::sync::Arc;

use super::show_context::TouchedMember;
use crate::queues::model::Member;
use crate::queues::name::QueueName;

/// A membership of an interface.
#[derive(Debug)]
pub(super) struct IndexedMember {
    /// The queue's name as spelled when the member last changed.
    pub(super) queue: QueueName,
    /// The member as readers see it.
    pub(super) member: Arc<Member>,
}

/// All members of all queues, by interface.
#[derive(Debug, Default)]
pub(super) struct Memberships {
    /// The keys are interfaces in lower case, because Asterisk ignores case when it compares
    /// interfaces.
    by_interface: HashMap<String, Vec<IndexedMember>>,
    count: usize,
}

impl Memberships {
    /// Adds, replaces or removes a member.
    pub(super) fn update(&mut self, touched: &TouchedMember) {
        let TouchedMember {
            queue,
            interface,
            member,
        } = touched;
        let Some(member) = member else {
            return self.remove(queue, interface);
        };
        let members = self.by_interface.entry(interface.to_ascii_lowercase());
        let members = members.or_default();
        if let Some(known) = members.iter_mut().find(|known| known.is_in(queue)) {
            known.queue.clone_from(queue);
            known.member = Arc::clone(member);
            return;
        }
        members.push(IndexedMember {
            queue: queue.clone(),
            member: Arc::clone(member),
        });
        self.count += 1;
    }

    /// Removes all members of a queue that no longer exists.
    pub(super) fn queue_removed(&mut self, queue: &QueueName, members: &[Arc<Member>]) {
        for member in members {
            self.remove(queue, &member.interface);
        }
    }

    /// Returns the memberships of this interface.
    pub(super) fn of(&self, interface: &str) -> &[IndexedMember] {
        let members = self.by_interface.get(&interface.to_ascii_lowercase());
        members.map_or(&[], Vec::as_slice)
    }

    /// Returns the member of the queue with this interface.
    pub(super) fn member(&self, queue: &str, interface: &str) -> Option<&Arc<Member>> {
        let mut members = self.of(interface).iter();
        let found = members.find(|member| member.is_in(queue))?;
        Some(&found.member)
    }

    /// Returns the number of memberships on the PBX.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    fn remove(&mut self, queue: &str, interface: &str) {
        let interface = interface.to_ascii_lowercase();
        let Some(members) = self.by_interface.get_mut(&interface) else {
            return;
        };
        let before = members.len();
        members.retain(|member| !member.is_in(queue));
        self.count -= before - members.len();
        if members.is_empty() {
            self.by_interface.remove(&interface);
        }
    }
}

impl IndexedMember {
    /// Returns whether this is a member of the queue. Ignores case, like Asterisk.
    fn is_in(&self, queue: &str) -> bool {
        self.queue.eq_ignore_ascii_case(queue)
    }
}
