//! What answers of Asterisk mean to the mirror.

use super::mirror::Mirror;
use super::now::Now;
use super::overlay::UnconfirmedChange;
use super::pending_refreshes::Refresh;
use crate::ami::{Action, Refusal, Reply};

impl Mirror {
    pub(super) fn answered(&mut self, action: &Action, answer: &Reply, now: Now) {
        let refusal = answer.refusal();
        if refusal == Some(Refusal::UnknownAction) {
            self.app_queue_unloaded();
        } else if *action == Action::Ping {
            let step = self.clock.measure(answer, now);
            if step != 0 {
                self.shift_times(step);
            }
        } else if let Action::QueueStatus { queue, member } = action {
            if refusal.is_none() {
                let queue = queue.as_ref().map(|queue| queue.as_str());
                let member = member.as_ref().map(|member| member.as_str());
                self.listed(queue, member, answer, now);
            }
        } else if let Some((queue, interface, change)) =
            UnconfirmedChange::of(action, self.clock.second(now))
        {
            let member = self
                .queue(queue)
                .and_then(|entry| entry.queue().member(interface));
            let is_there = member.is_some();
            match refusal {
                None => self.done(queue, interface, change, is_there, now),
                Some(refusal) if contradicts(&refusal, is_there) => {
                    if let Some(entry) = self.queue(queue) {
                        let queue = entry.name.clone();
                        self.request_refresh(Refresh::Queue(queue), now.at);
                    }
                }
                Some(_) => {}
            }
        }
    }

    fn done(
        &mut self,
        queue: &str,
        interface: &str,
        change: UnconfirmedChange,
        is_there: bool,
        now: Now,
    ) {
        let Some(entry) = self.entries.get_mut(&queue.to_ascii_lowercase()) else {
            return;
        };
        let name = entry.name.clone();
        let is_known = is_there || matches!(change, UnconfirmedChange::Add(_));
        let changed = entry.apply_overlay(interface, change, now.at);
        self.record(&name, changed);
        if !is_known {
            self.request_refresh(Refresh::Queue(name), now.at);
        }
    }
}

/// Whether a refused change shows that the mirror is wrong about the member.
fn contradicts(refusal: &Refusal, is_member: bool) -> bool {
    match refusal {
        Refusal::NotFound | Refusal::NotAMember => is_member,
        Refusal::AlreadyMember => !is_member,
        // The mirror has the queue, or there would be nothing to contradict.
        Refusal::NoSuchQueue => true,
        _ => false,
    }
}
