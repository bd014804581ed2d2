//! Shows members to readers, completed with the facts that Asterisk does not report.

use std::sync::Arc;

use super::change_log::MemberChange;
use super::member_key::MemberKey;
use super::member_order::insertion_index;
use super::mirrored_queue::{Changed, MirroredQueue};
use super::now::Now;
use super::timed_pauses::TimedPauses;
use crate::queues::model::Member;
use crate::queues::name::QueueName;

/// Completes members with the facts that Asterisk does not report, before readers see them.
pub(super) struct ShowContext<'a> {
    pub(super) now: Now,
    pub(super) timed_pauses: &'a mut TimedPauses,
    /// Receives the members that were added, replaced or removed.
    pub(super) touched: &'a mut Vec<TouchedMember>,
}

/// A member that was added, replaced or removed.
#[derive(Debug)]
pub(super) struct TouchedMember {
    pub(super) queue: QueueName,
    pub(super) interface: Arc<str>,
    /// `None` if the member was removed.
    pub(super) member: Option<Arc<Member>>,
}

impl ShowContext<'_> {
    /// Completes a member of a queue. `previous` is the member as readers saw it before.
    /// `is_watched` is false if the bridge may have missed changes since then.
    pub(super) fn complete(
        &mut self,
        queue: &QueueName,
        previous: Option<&Arc<Member>>,
        member: Option<Arc<Member>>,
        is_watched: bool,
    ) -> Option<Arc<Member>> {
        let now = self.now.unix_millis();
        let pause_end = match previous.or(member.as_ref()) {
            Some(either) if !self.timed_pauses.is_empty() => {
                let key = MemberKey::new(queue, &either.interface);
                self.timed_pauses.update(&key, member.as_deref(), now)
            }
            _ => None,
        };
        let mut member = member?;
        let previous = previous.map(Arc::as_ref);
        let mut observed = member.observed_after(previous, now, is_watched);
        observed.pause_end = pause_end;
        if member.observed != observed {
            Arc::make_mut(&mut member).observed = observed;
        }
        Some(member)
    }

    /// Records that a member was added, replaced or removed.
    pub(super) fn touch(
        &mut self,
        queue: &QueueName,
        interface: &Arc<str>,
        member: Option<&Arc<Member>>,
    ) {
        self.touched.push(TouchedMember {
            queue: queue.clone(),
            interface: Arc::clone(interface),
            member: member.cloned(),
        });
    }
}

impl MirroredQueue {
    /// Shows a member anew after its `observed` facts or its timing have changed.
    pub(super) fn show_again(
        &mut self,
        interface: &str,
        context: &mut ShowContext<'_>,
    ) -> Option<Changed> {
        let member = self.queue.member(interface).cloned();
        self.show(interface, member, context)
    }

    /// Replaces a member with a changed copy, and returns the copy.
    pub(super) fn replace(
        &mut self,
        interface: &str,
        change: impl FnOnce(&mut Member),
    ) -> Option<Arc<Member>> {
        let mut members = self.queue.members.iter();
        let index = members.position(|m| m.has_interface(interface))?;
        let mut member = Member::clone(&self.queue.members[index]);
        change(&mut member);
        let member = Arc::new(member);
        let members = Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members);
        members[index] = Arc::clone(&member);
        Some(member)
    }

    /// Adds, replaces or removes a member that readers see. Returns the visible change, if any.
    pub(super) fn show(
        &mut self,
        interface: &str,
        member: Option<Arc<Member>>,
        context: &mut ShowContext<'_>,
    ) -> Option<Changed> {
        let mut members = self.queue.members.iter();
        let index = members.position(|m| m.has_interface(interface));
        let shown = index.map(|index| &self.queue.members[index]);
        let member = context.complete(&self.name, shown, member, self.is_watched);
        let change = MemberChange::between(shown.map(Arc::as_ref), member.as_deref());
        if change.is_none() && shown == member.as_ref() {
            return None;
        }
        let new_index = insertion_index(interface, &self.queue);
        let members = Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members);
        let is_removed = member.is_none();
        let changed = match (index, member) {
            (Some(index), Some(member)) => {
                members[index] = Arc::clone(&member);
                member
            }
            (Some(index), None) => members.remove(index),
            (None, Some(member)) => {
                members.insert(new_index, Arc::clone(&member));
                member
            }
            (None, None) => return None,
        };
        let remaining = (!is_removed).then_some(&changed);
        context.touch(&self.name, &changed.interface, remaining);
        Some((change?, changed))
    }

    /// Moves a member to the index at which Asterisk lists the latest added member. Events about
    /// additions arrive in the order of the additions, but overlays and query replies may not.
    pub(super) fn move_to_last_added(&mut self, interface: &str) {
        let Some(index) = self
            .queue
            .members
            .iter()
            .position(|m| m.has_interface(interface))
        else {
            return;
        };
        let members = Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members);
        let member = members.remove(index);
        let index = insertion_index(interface, &self.queue);
        let members = Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members);
        members.insert(index, member);
    }
}
