//! Shows members to readers.

use std::sync::Arc;

use super::change_log::MemberChange;
use super::member_order::insertion_index;
use super::mirrored_queue::{Changed, MirroredQueue};
use super::show_context::ShowContext;
use crate::queues::model::Member;

impl MirroredQueue {
    /// Shows a member again after its `observed` facts or its timing have changed.
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
        let new_index = index.unwrap_or_else(|| insertion_index(interface, &self.queue));
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
