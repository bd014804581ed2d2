//! What answers of Asterisk mean to the mirror.

use super::mirror::Mirror;
use super::now::Now;
use super::overlay::UnconfirmedChange;
use super::pending_refreshes::Refresh;
use crate::ami::{Action, Reply, is_unknown_action};

impl Mirror {
    pub(super) fn answered(&mut self, action: &Action, answer: &Reply, now: Now) {
        let refusal = (!answer.response.is_success()).then(|| answer.response.text("Message"));
        let refusal = refusal.flatten().unwrap_or_default();
        if is_unknown_action(&refusal) {
            self.unloaded();
        } else if *action == Action::Ping {
            let step = self.clock.measure(answer, now);
            if step != 0 {
                self.shift_times(step);
            }
        } else if let Action::QueueStatus { queue, member } = action {
            if answer.response.is_success() {
                let queue = queue.as_ref().map(|queue| queue.as_str());
                let member = member.as_ref().map(|member| member.as_str());
                self.listed(queue, member, answer, now);
            }
        } else if let Some((queue, interface, write)) =
            UnconfirmedChange::of(action, self.clock.second(now))
        {
            let member = self
                .queue(queue)
                .and_then(|entry| entry.queue().member(interface));
            let is_there = member.is_some();
            if answer.response.is_success() {
                self.done(queue, interface, write, is_there, now);
            } else if refutes(&refusal, is_there)
                && let Some(entry) = self.queue(queue)
            {
                let queue = entry.name.clone();
                self.want(Refresh::Queue(queue), now.at);
            }
        }
    }

    fn done(
        &mut self,
        queue: &str,
        interface: &str,
        write: UnconfirmedChange,
        is_there: bool,
        now: Now,
    ) {
        let Some(entry) = self.entries.get_mut(&queue.to_ascii_lowercase()) else {
            return;
        };
        let name = entry.name.clone();
        let is_known = is_there || matches!(write, UnconfirmedChange::Add(_));
        let changed = entry.lay(interface, write, now.at);
        self.note(&name, changed);
        if !is_known {
            self.want(Refresh::Queue(name), now.at);
        }
    }
}

/// Whether the words with which Asterisk refuses a change say otherwise than
/// what is known of the member.
fn refutes(text: &str, is_there: bool) -> bool {
    match text {
        "Interface not found" | "Unable to remove interface: Not there" => is_there,
        "Unable to add interface: Already there" => !is_there,
        text => text.ends_with("No such queue"),
    }
}
