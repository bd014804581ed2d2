//! Applies a list of all members to a queue.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::change_log::MemberChange;
use super::mirrored_queue::{Changed, MirroredQueue};
use super::reported::{Difference, has_same_report, is_announced, with_bridge_times};
use super::show_context::ShowContext;
use crate::queues::model::Member;

/// A list of all members of a queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemberList<'a> {
    pub(super) members: &'a [Arc<Member>],
    /// Whether no row is missing.
    pub(super) is_complete: bool,
    /// When the query for the list was sent.
    pub(super) queried_at: Instant,
    /// The number of seconds by which Asterisk's clock is ahead.
    pub(super) clock_offset: i64,
}

impl MirroredQueue {
    /// Applies a list of all members. Returns the visible changes, and the members whose listed
    /// state differs from the state reported before. If the list is incomplete, keeps the members
    /// that are not in the list.
    pub(super) fn apply_member_list(
        &mut self,
        list: MemberList<'_>,
        context: &mut ShowContext<'_>,
    ) -> (Vec<Changed>, Vec<Difference>) {
        let before = Arc::clone(&self.queue.members);
        let by_interface = ByInterface::of(&before, list.members);
        let mut applied = Applied {
            shown: Vec::with_capacity(list.members.len()),
            changed: Vec::new(),
            differences: Vec::new(),
        };
        for (index, member) in list.members.iter().enumerate() {
            let previous = by_interface.get(index, &member.interface);
            self.apply_row(
                &list,
                &member.interface,
                previous,
                Some(member),
                &mut applied,
                context,
            );
        }
        let listed = ByInterface::of(list.members, &before);
        for (index, member) in before.iter().enumerate() {
            if listed.get(index, &member.interface).is_some() {
                continue;
            }
            if list.is_complete {
                let interface = &member.interface;
                self.apply_row(&list, interface, Some(member), None, &mut applied, context);
            } else {
                // The member may still exist, because rows are missing.
                applied.shown.push(Arc::clone(member));
            }
        }
        self.overlays.retain(|overlay| !overlay.is_empty());
        self.is_new = false;
        self.members_outdated = false;
        self.members_listed = Some(context.now.at);
        self.is_watched = true;
        if !applied.changed.is_empty() || *before != applied.shown {
            Arc::make_mut(&mut self.queue).members = Arc::new(applied.shown);
        }
        (applied.changed, applied.differences)
    }

    /// Applies a member's row, or `None` if the member has no row. `previous` is the member as
    /// readers saw it before.
    fn apply_row(
        &mut self,
        list: &MemberList<'_>,
        interface: &Arc<str>,
        previous: Option<&Arc<Member>>,
        listed: Option<&Arc<Member>>,
        applied: &mut Applied,
        context: &mut ShowContext<'_>,
    ) {
        let overlay = self.overlay_index(interface);
        let overlay = overlay.map(|index| &mut self.overlays[index]);
        let reported = match &overlay {
            Some(overlay) => overlay.reported.as_deref(),
            None => previous.map(Arc::as_ref),
        };
        let listed = listed.map(|member| with_bridge_times(member, reported, list.clock_offset));
        context.work.member_reported(
            (&self.name, interface),
            (reported, listed.as_deref()),
            self.is_watched,
            context.second,
        );
        if !has_same_report(reported, listed.as_deref()) {
            applied.differences.push(Difference {
                interface: Arc::clone(interface),
                has_vanished: listed.is_none(),
                is_announced: is_announced(reported, listed.as_deref()),
            });
        }
        let shown = match overlay {
            Some(overlay) => {
                overlay.reconcile_with_list(list.queried_at, listed.as_ref());
                overlay.reported = listed;
                overlay.member()
            }
            None => listed,
        };
        let shown = context.complete(&self.name, previous, shown, self.is_watched);
        if previous != shown.as_ref() {
            context.touch(&self.name, interface, shown.as_ref());
        }
        let change = MemberChange::between(previous.map(Arc::as_ref), shown.as_deref());
        if let Some(change) = change {
            let member = shown.as_ref().or(previous);
            let changed = member.map(|member| (change, Arc::clone(member)));
            applied.changed.extend(changed);
            applied.shown.extend(shown);
        } else if previous.map(Arc::as_ref) == shown.as_deref() {
            // Reuse the unchanged member, so that it is stored only once.
            applied.shown.extend(previous.cloned());
        } else {
            applied.shown.extend(shown);
        }
    }
}

/// The result of the rows applied so far.
struct Applied {
    /// The members that readers will see.
    shown: Vec<Arc<Member>>,
    changed: Vec<Changed>,
    differences: Vec<Difference>,
}

/// Looks up the members of a list by the interfaces of another list's members. Usually both
/// lists have the same members at the same indexes. Otherwise the lookup uses a table.
struct ByInterface<'a> {
    members: &'a [Arc<Member>],
    table: Option<HashMap<String, &'a Arc<Member>>>,
}

impl<'a> ByInterface<'a> {
    fn of(members: &'a [Arc<Member>], other: &[Arc<Member>]) -> Self {
        let pairs = members.iter().zip(other);
        let is_aligned = members.len() == other.len()
            && pairs.clone().all(|(a, b)| a.has_interface(&b.interface));
        let table = || {
            members
                .iter()
                .map(|m| (m.interface.to_ascii_lowercase(), m))
                .collect()
        };
        Self {
            members,
            table: (!is_aligned).then(table),
        }
    }

    /// Returns the member with this interface. `index` is the interface's index in the other
    /// list.
    fn get(&self, index: usize, interface: &str) -> Option<&'a Arc<Member>> {
        match &self.table {
            Some(table) => table.get(&interface.to_ascii_lowercase()).copied(),
            None => self.members.get(index),
        }
    }
}
