//! Members as Asterisk reports them.

use std::sync::Arc;

use crate::queues::model::{Member, Membership};

/// A member that a list has found otherwise than was known.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) interface: Arc<str>,
    /// Whether the member is not listed any more, and the bridge has not removed it.
    pub(super) has_vanished: bool,
    /// Whether it is a change that Asterisk announces, whoever makes it.
    pub(super) is_announced: bool,
}

/// The member with its times on the bridge's clock.
pub(super) fn with_bridge_times(
    listed: &Arc<Member>,
    known: Option<&Member>,
    clock_offset: i64,
) -> Arc<Member> {
    let mut member = Member::clone(listed);
    member.convert_times(known, clock_offset);
    if member == **listed {
        return Arc::clone(listed);
    }
    Arc::new(member)
}

/// Whether Asterisk announces what lies between two states of a member. It does not
/// for members of `queues.conf` or of a realtime database, and for counts and devices
/// not always.
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

/// Asterisk sends no event with a name that is not UTF-8, as one is that it has cut in
/// the middle of a character.
pub(super) fn has_events(member: &Member) -> bool {
    !member.name.contains(char::REPLACEMENT_CHARACTER)
}
