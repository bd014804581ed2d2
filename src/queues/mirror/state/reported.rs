//! Compares and converts members that Asterisk reports.

use std::sync::Arc;

use crate::queues::model::{Member, Membership};

/// A member whose state in a list differs from the state that was reported before.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) interface: Arc<str>,
    /// Whether the member is no longer listed.
    pub(super) has_vanished: bool,
    /// Whether Asterisk announces every change of this kind with an event.
    pub(super) is_announced: bool,
}

/// Returns the member with its times converted to the bridge's clock. `known` is the member as
/// previously reported.
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

/// Returns whether Asterisk reports the same for both states of a member; `None` means that
/// there is no such member.
pub(super) fn has_same_report(a: Option<&Member>, b: Option<&Member>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.has_same_report(b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Returns whether Asterisk announces the difference between two states of a member with an
/// event. Asterisk announces no changes of static members, and not every change of a call
/// count or a device state.
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

/// Returns whether Asterisk sends events about the member. It sends none if the member's name
/// is not UTF-8, for example because Asterisk truncated the name in the middle of a character.
pub(super) fn has_events(member: &Member) -> bool {
    !member.name.contains(char::REPLACEMENT_CHARACTER)
}
