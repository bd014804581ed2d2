//! Members as Asterisk reports them.

use std::sync::Arc;

use crate::queues::model::{Member, Membership};

/// A member that a list shows differently from what events had reported.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) interface: Arc<str>,
    /// Whether the member is no longer listed, although the bridge has not removed it.
    pub(super) has_vanished: bool,
    /// Whether Asterisk sends an event for such a change, no matter who makes it.
    pub(super) is_announced: bool,
}

/// The member with its times converted to the bridge's clock. `known` is the member as it
/// was reported before.
pub(super) fn with_bridge_times(
    listed: &Arc<Member>,
    known: Option<&Member>,
    clock_offset: i64,
) -> Arc<Member> {
    let mut member = Member::clone(listed);
    member.convert_times_to_bridge_clock(known, clock_offset);
    if member == **listed {
        return Arc::clone(listed);
    }
    Arc::new(member)
}

/// Whether Asterisk sends an event for the difference between two states of a member. It
/// sends none for members of `queues.conf` or of a realtime database, and not always one
/// for counts and device states.
pub(super) fn is_announced(before: Option<&Member>, after: Option<&Member>) -> bool {
    let is_dynamic = |member: &Member| member.membership == Membership::Dynamic;
    match (before, after) {
        (None, Some(after)) => is_dynamic(after) && has_events(after),
        (Some(before), Some(after)) => {
            is_dynamic(after) && has_events(after) && before.paused != after.paused
        }
        (_, None) => false,
    }
}

/// Whether Asterisk sends events about the member. It sends none if the name is not UTF-8,
/// as when Asterisk has cut it in the middle of a character.
pub(super) fn has_events(member: &Member) -> bool {
    !member.name.contains(char::REPLACEMENT_CHARACTER)
}
