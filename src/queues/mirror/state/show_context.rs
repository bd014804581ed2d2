//! Completes members before readers see them.

use std::sync::Arc;

use super::member_key::MemberKey;
use super::now::Now;
use super::timed_pauses::TimedPauses;
use super::work::WorkLog;
use crate::queues::model::Member;
use crate::queues::name::QueueName;

/// Completes members with the facts that Asterisk does not report, before readers see them.
pub(super) struct ShowContext<'a> {
    pub(super) now: Now,
    /// The current second as Asterisk would report it, in Unix seconds.
    pub(super) second: i64,
    pub(super) work: &'a WorkLog,
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
