//! What a list of all members means to a queue of the mirror.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::change_log::MemberChange;
use super::mirrored_queue::{Changed, MirroredQueue};
use super::now::Now;
use super::reported::{Difference, is_announced, with_bridge_times};
use crate::queues::model::Member;

/// A list of all members of a queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemberList<'a> {
    pub(super) members: &'a [Arc<Member>],
    /// Whether no row is missing.
    pub(super) is_complete: bool,
    /// When Asterisk was asked.
    pub(super) asked: Instant,
    /// Seconds by which Asterisk's clock is ahead.
    pub(super) clock_offset: i64,
}

impl MirroredQueue {
    /// Applies a list of all members. Returns the visible changes, and the members that
    /// differ from what events had reported. If rows are missing, the members that are
    /// not listed stay.
    pub(super) fn apply_member_list(
        &mut self,
        list: MemberList<'_>,
        now: Now,
    ) -> (Vec<Changed>, Vec<Difference>) {
        let MemberList {
            members: listed,
            is_complete,
            asked,
            clock_offset,
        } = list;
        let before = Arc::clone(&self.queue.members);
        let old = ByInterface::of(&before, listed);
        let mut shown = Vec::with_capacity(listed.len());
        let mut changed = Vec::new();
        let mut differences = Vec::new();
        let mut take =
            |entry: &mut Self, place: usize, interface: &Arc<str>, member: Option<&Arc<Member>>| {
                let was = old.get(place, interface);
                let overlays = entry
                    .overlay_of(interface)
                    .map(|place| &mut entry.overlays[place]);
                let reported = overlays
                    .as_ref()
                    .map_or(was, |overlays| overlays.reported.as_ref());
                let reported = reported.map(Arc::as_ref);
                let member = member.map(|member| with_bridge_times(member, reported, clock_offset));
                if reported != member.as_deref() {
                    differences.push(Difference {
                        interface: Arc::clone(interface),
                        has_vanished: member.is_none(),
                        is_announced: is_announced(reported, member.as_deref()),
                    });
                }
                let is = match overlays {
                    Some(overlays) => {
                        overlays.listed(asked, member.as_ref());
                        overlays.reported = member;
                        overlays.member()
                    }
                    None => member,
                };
                if let Some(what) = MemberChange::between(was.map(Arc::as_ref), is.as_deref()) {
                    changed.extend(is.as_ref().or(was).map(|member| (what, Arc::clone(member))));
                    shown.extend(is);
                } else if was.map(Arc::as_ref) == is.as_deref() {
                    // The one that is there already, so that it is stored once.
                    shown.extend(was.cloned());
                } else {
                    shown.extend(is);
                }
            };
        for (place, member) in listed.iter().enumerate() {
            take(self, place, &member.interface, Some(member));
        }
        let new = ByInterface::of(listed, &before);
        let gone = before.iter().enumerate();
        let gone = gone.filter(|(place, m)| new.get(*place, &m.interface).is_none());
        if is_complete {
            gone.for_each(|(place, member)| take(self, place, &member.interface, None));
        } else {
            // Their rows may only be missing.
            shown.extend(gone.map(|(_, member)| Arc::clone(member)));
        }
        self.overlays.retain(|overlays| !overlays.is_empty());
        self.is_new = false;
        self.members_outdated = false;
        self.members_listed = Some(now.at);
        if !changed.is_empty() || *before != shown {
            Arc::make_mut(&mut self.queue).members = Arc::new(shown);
        }
        (changed, differences)
    }
}

/// Members by their interface. Mostly the other list has the same ones at the
/// same places; only where it does not, a table is made.
struct ByInterface<'a> {
    members: &'a [Arc<Member>],
    table: Option<HashMap<String, &'a Arc<Member>>>,
}

impl<'a> ByInterface<'a> {
    fn of(members: &'a [Arc<Member>], other: &[Arc<Member>]) -> Self {
        let pairs = members.iter().zip(other);
        let aligned =
            members.len() == other.len() && pairs.clone().all(|(a, b)| a.is(&b.interface));
        let table = || {
            members
                .iter()
                .map(|m| (m.interface.to_ascii_lowercase(), m))
                .collect()
        };
        Self {
            members,
            table: (!aligned).then(table),
        }
    }

    /// The member of that interface, which the other list has at that place.
    fn get(&self, place: usize, interface: &str) -> Option<&'a Arc<Member>> {
        match &self.table {
            Some(table) => table.get(&interface.to_ascii_lowercase()).copied(),
            None => self.members.get(place),
        }
    }
}
