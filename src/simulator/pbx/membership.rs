//! Member changes, with their events and `queue_log` lines.

use super::device::state_of;
use super::member::{Member, truncate_field};
use super::state::SimulatedPbx;

/// The `Message` in Asterisk's response to a change: `Ok` if the change succeeded, `Err` if it
/// failed.
pub(crate) type ChangeResult = Result<&'static str, &'static str>;

impl SimulatedPbx {
    /// Runs QueueAdd. The new member is paused if `member.paused` is set.
    pub(crate) fn add_member(
        &mut self,
        queue: &str,
        mut member: Member,
        reason: Option<&str>,
    ) -> ChangeResult {
        let now = self.unix_seconds();
        member.status = state_of(&self.devices, &member.state_interface);
        if member.paused {
            member.set_paused(true, "", now);
        }
        // Asterisk stores the reason even if the member is not paused.
        member.reason = truncate_field(reason.unwrap_or_default());
        let log_data = if member.paused { "PAUSED" } else { "" };
        // Asterisk logs the queue name as the client wrote it, but its events contain the name
        // in `queues.conf`.
        let requested_name = queue;
        let Some(queue) = self.queue_mut(queue) else {
            return Err("Unable to add interface to queue: No such queue");
        };
        if queue.member_mut(&member.interface).is_some() {
            return Err("Unable to add interface: Already there");
        }
        member.ring_in_use = queue.ring_in_use;
        let name = queue.name.clone();
        queue.insert_member(member.clone());
        self.emit(member.event("QueueMemberAdded", &name));
        let interface = &member.interface;
        self.append_to_queue_log("MANAGER", requested_name, interface, "ADDMEMBER", log_data);
        self.schedule_distribution(&name);
        Ok("Added interface to queue")
    }

    /// Runs QueueRemove.
    pub(crate) fn remove_member(&mut self, queue: &str, interface: &str) -> ChangeResult {
        let requested_name = queue;
        let Some(queue) = self.queue_mut(queue) else {
            return Err("Unable to remove interface from queue: No such queue");
        };
        // Members have truncated interfaces, so the lookup needs a truncated interface.
        let Some(index) = queue.member_index(&truncate_field(interface)) else {
            return Err("Unable to remove interface: Not there");
        };
        if !queue.members[index].is_dynamic {
            return Err("Member not dynamic");
        }
        let member = queue.members.remove(index);
        let name = queue.name.clone();
        self.emit(member.event("QueueMemberRemoved", &name));
        self.append_to_queue_log("MANAGER", requested_name, interface, "REMOVEMEMBER", "");
        Ok("Removed interface from queue")
    }

    /// Runs QueuePause in one queue, or in every queue if `queue` is `None`.
    pub(crate) fn pause(
        &mut self,
        queue: Option<&str>,
        interface: &str,
        paused: bool,
        reason: &str,
    ) -> ChangeResult {
        let now = self.unix_seconds();
        let reason = truncate_field(reason);
        let (log_event, log_event_for_all) = if paused {
            ("PAUSE", "PAUSEALL")
        } else {
            ("UNPAUSE", "UNPAUSEALL")
        };
        let mut is_first = true;
        let is_found = self.change_member(queue, interface, |pbx, name, member| {
            if queue.is_none() && std::mem::take(&mut is_first) {
                let name = &member.name;
                pbx.append_to_queue_log("NONE", "NONE", name, log_event_for_all, &reason);
            }
            member.set_paused(paused, &reason, now);
            // Asterisk's unpause event contains the reason, although the member no longer has
            // a reason.
            let mut reported = member.clone();
            reported.reason.clone_from(&reason);
            pbx.emit(reported.event("QueueMemberPause", name));
            pbx.append_to_queue_log("NONE", name, &member.name, log_event, &reason);
        });
        match (is_found, paused) {
            (false, _) => Err("Interface not found"),
            (true, true) => Ok("Interface paused successfully"),
            (true, false) => Ok("Interface unpaused successfully"),
        }
    }

    /// Returns true if the member with this interface is paused in any queue.
    pub(super) fn is_paused_anywhere(&self, interface: &str) -> bool {
        let members = self.queues.iter().flat_map(|queue| &queue.members);
        let mut paused = members.filter(|member| member.paused);
        paused.any(|member| member.has_interface(interface))
    }

    /// Runs QueuePenalty in one queue, or in every queue if `queue` is `None`. `penalty` is `None`
    /// if the requested penalty is invalid.
    pub(crate) fn set_penalty(
        &mut self,
        queue: Option<&str>,
        interface: &str,
        penalty: Option<u32>,
    ) -> ChangeResult {
        const INVALID: ChangeResult = Err("Invalid interface, queuename or penalty");
        let Some(penalty) = penalty else {
            return INVALID;
        };
        let is_found = self.change_member(queue, interface, |pbx, name, member| {
            member.penalty = penalty;
            pbx.append_to_queue_log("NONE", name, &member.name, "PENALTY", penalty);
            pbx.emit(member.event("QueueMemberPenalty", name));
        });
        if !is_found {
            return INVALID;
        }
        Ok("Interface penalty set successfully")
    }

    /// Runs QueueMemberRingInUse in one queue, or in every queue if `queue` is `None`.
    pub(crate) fn set_ring_in_use(
        &mut self,
        queue: Option<&str>,
        interface: &str,
        ring_in_use: bool,
    ) -> ChangeResult {
        let is_found = self.change_member(queue, interface, |pbx, name, member| {
            member.ring_in_use = ring_in_use;
            let data = u8::from(ring_in_use);
            pbx.append_to_queue_log("NONE", name, &member.name, "RINGINUSE", data);
            pbx.emit(member.event("QueueMemberRinginuse", name));
        });
        if !is_found {
            // Asterisk's message ends with a line feed.
            return Err("Invalid interface, queuename, or ringinuse value\n");
        }
        Ok("Interface ringinuse set successfully")
    }

    /// Runs QueueReset in one queue, or in every queue if `name` is `None`. Asterisk sends no
    /// event.
    pub(crate) fn reset_statistics(&mut self, name: Option<&str>) {
        for queue in &mut self.queues {
            if name.is_none_or(|name| queue.name.eq_ignore_ascii_case(name)) {
                queue.statistics = Default::default();
                for member in &mut queue.members {
                    member.calls_taken = 0;
                    member.last_call = 0;
                }
            }
        }
    }

    /// Applies `change` to a member in one queue, or in every queue if `queue` is `None`.
    /// Returns true if any queue was changed.
    fn change_member(
        &mut self,
        queue: Option<&str>,
        interface: &str,
        mut change: impl FnMut(&mut Self, &str, &mut Member),
    ) -> bool {
        let mut is_found = false;
        for queue_index in 0..self.queues.len() {
            let name = self.queues[queue_index].name.clone();
            if queue.is_some_and(|queue| !name.eq_ignore_ascii_case(queue)) {
                continue;
            }
            let Some(member_index) = self.queues[queue_index].member_index(interface) else {
                continue;
            };
            // Take the member out of the queue, because `change` borrows the whole PBX.
            let slot = &mut self.queues[queue_index].members[member_index];
            let mut member = std::mem::take(slot);
            change(self, &name, &mut member);
            self.queues[queue_index].members[member_index] = member;
            self.schedule_distribution(&name);
            is_found = true;
        }
        is_found
    }
}
