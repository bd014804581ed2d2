//! Applies replies to actions.

use super::overlay::UnconfirmedChange;
use super::{MemberKey, Mirror, Now, Refresh};
use crate::ami::{Action, Refusal, Reply};

impl Mirror {
    /// Applies the reply to an action. The session calls this before the action's sender
    /// receives the reply.
    pub(in crate::queues::mirror) fn reply_received(
        &mut self,
        action: &Action,
        reply: &Reply,
        now: Now,
    ) {
        self.last_received = now.at;
        let refusal = reply.refusal();
        if refusal == Some(Refusal::UnknownAction) {
            return self.app_queue_unloaded();
        }
        match action {
            Action::Ping => {
                let bridge_clock_step = self.clock.measure(reply, now);
                if let Some(offset) = self.clock.offset() {
                    self.work.offset_measured(offset);
                }
                if bridge_clock_step != 0 {
                    self.shift_times(bridge_clock_step, now);
                }
            }
            Action::QueueStatus { queue, member } => {
                if refusal.is_none() {
                    let queue = queue.as_ref().map(|queue| queue.as_str());
                    let member = member.as_ref().map(|member| member.as_str());
                    self.list_received(queue, member, reply, now);
                }
            }
            action => {
                let second = self.clock.second(now);
                if let Some((queue, interface, change)) = UnconfirmedChange::of(action, second) {
                    self.change_answered(queue, interface, change, refusal.as_ref(), now);
                }
            }
        }
    }

    fn change_answered(
        &mut self,
        queue: &str,
        interface: &str,
        change: UnconfirmedChange,
        refusal: Option<&Refusal>,
        now: Now,
    ) {
        let Some((queue, mut context)) = self.queue_and_context(queue, now) else {
            return;
        };
        let name = queue.name.clone();
        let is_member = queue.queue().member(interface).is_some();
        let is_consistent = match refusal {
            Some(refusal) => !contradicts(refusal, is_member),
            None => {
                let is_consistent = is_member || matches!(change, UnconfirmedChange::Add(_));
                let key = MemberKey::new(&name, interface);
                let millis = now.unix_millis();
                context
                    .timed_pauses
                    .change_acknowledged(&key, &change, millis);
                let changed = queue.apply_overlay(interface, change, &mut context);
                self.record(&name, changed, now);
                is_consistent
            }
        };
        if !is_consistent {
            self.request_refresh(Refresh::Queue(name), now.at);
        }
    }
}

/// Returns whether the refusal of a change shows that the mirror is wrong about the member.
fn contradicts(refusal: &Refusal, is_member: bool) -> bool {
    match refusal {
        Refusal::NotFound | Refusal::NotAMember => is_member,
        Refusal::AlreadyMember => !is_member,
        // The mirror has a queue with this name.
        Refusal::NoSuchQueue => true,
        _ => false,
    }
}
