//! The changes of members, with their events and lines of queue_log.

use super::device;
use super::member::{Member, cut};
use super::pbx::Pbx;

/// What Asterisk answers to a change: the message of a success or of an error.
pub(super) type Answer = Result<&'static str, &'static str>;

impl Pbx {
    /// QueueAdd, of a member that is not paused yet.
    pub(super) fn add(&mut self, queue: &str, mut member: Member, reason: Option<&str>) -> Answer {
        let now = self.unix();
        member.status = device::status(&self.devices, &member.state_interface);
        if member.paused {
            member.set_paused(true, "", now);
        }
        // Also without a pause.
        member.reason = cut(reason.unwrap_or_default());
        let paused = if member.paused { "PAUSED" } else { "" };
        // As it was given, for queue_log.
        let given = queue;
        let Some(queue) = self.queue(queue) else {
            return Err("Unable to add interface to queue: No such queue");
        };
        if queue.member(&member.interface).is_some() {
            return Err("Unable to add interface: Already there");
        }
        member.ring_in_use = queue.ring_in_use;
        let name = queue.name.clone();
        queue.insert(member.clone());
        self.tell(member.event("QueueMemberAdded", &name));
        self.log("MANAGER", given, &member.interface, "ADDMEMBER", paused);
        self.distribute_soon(&name);
        Ok("Added interface to queue")
    }

    /// QueueRemove.
    pub(super) fn remove(&mut self, queue: &str, interface: &str) -> Answer {
        let given = queue;
        let Some(queue) = self.queue(queue) else {
            return Err("Unable to remove interface from queue: No such queue");
        };
        let mut members = queue.members.iter();
        // As long as members have it.
        let Some(place) = members.position(|m| m.has_interface(&cut(interface))) else {
            return Err("Unable to remove interface: Not there");
        };
        if !queue.members[place].is_dynamic {
            return Err("Member not dynamic");
        }
        let member = queue.members.remove(place);
        let name = queue.name.clone();
        self.tell(member.event("QueueMemberRemoved", &name));
        self.log("MANAGER", given, interface, "REMOVEMEMBER", "");
        Ok("Removed interface from queue")
    }

    /// QueuePause; without a queue in every queue.
    pub(super) fn pause(
        &mut self,
        queue: Option<&str>,
        interface: &str,
        paused: bool,
        reason: &str,
    ) -> Answer {
        let now = self.unix();
        let what = if paused { "PAUSE" } else { "UNPAUSE" };
        let reason = cut(reason);
        let mut is_first = true;
        let found = self.each(queue, interface, |pbx, name, member| {
            if queue.is_none() && std::mem::take(&mut is_first) {
                let what = if paused { "PAUSEALL" } else { "UNPAUSEALL" };
                pbx.log("NONE", "NONE", &member.interface, what, "");
            }
            member.set_paused(paused, &reason, now);
            // The reason of an unpause is told, and not kept.
            let mut told = member.clone();
            told.reason.clone_from(&reason);
            pbx.tell(told.event("QueueMemberPause", name));
            pbx.log("NONE", name, &member.name, what, &reason);
        });
        match (found, paused) {
            (false, _) => Err("Interface not found"),
            (true, true) => Ok("Interface paused successfully"),
            (true, false) => Ok("Interface unpaused successfully"),
        }
    }

    /// QueuePenalty.
    pub(super) fn set_penalty(
        &mut self,
        queue: Option<&str>,
        interface: &str,
        penalty: Option<u32>,
    ) -> Answer {
        const INVALID: Answer = Err("Invalid interface, queuename or penalty");
        let Some(penalty) = penalty else {
            return INVALID;
        };
        let found = self.each(queue, interface, |pbx, name, member| {
            member.penalty = penalty;
            pbx.log("NONE", name, &member.name, "PENALTY", penalty);
            pbx.tell(member.event("QueueMemberPenalty", name));
        });
        if !found {
            return INVALID;
        }
        Ok("Interface penalty set successfully")
    }

    /// QueueMemberRingInUse. Asterisk's message has a line feed in it.
    pub(super) fn set_ring_in_use(
        &mut self,
        queue: Option<&str>,
        interface: &str,
        ring_in_use: bool,
    ) -> Answer {
        let found = self.each(queue, interface, |pbx, name, member| {
            member.ring_in_use = ring_in_use;
            let data = u8::from(ring_in_use);
            pbx.log("NONE", name, &member.name, "RINGINUSE", data);
            pbx.tell(member.event("QueueMemberRinginuse", name));
        });
        if !found {
            return Err("Invalid interface, queuename, or ringinuse value\n");
        }
        Ok("Interface ringinuse set successfully")
    }

    /// QueueReset: no event tells it.
    pub(super) fn reset(&mut self, queue: Option<&str>) {
        for each in &mut self.queues {
            if queue.is_none_or(|queue| each.name.eq_ignore_ascii_case(queue)) {
                each.figures = Default::default();
                for member in &mut each.members {
                    member.calls_taken = 0;
                    member.last_call = 0;
                }
            }
        }
    }

    /// Changes that member in the queue, or in all; whether there is one.
    fn each(
        &mut self,
        queue: Option<&str>,
        interface: &str,
        mut change: impl FnMut(&mut Self, &str, &mut Member),
    ) -> bool {
        let mut found = false;
        for index in 0..self.queues.len() {
            let name = self.queues[index].name.clone();
            if queue.is_some_and(|queue| !name.eq_ignore_ascii_case(queue)) {
                continue;
            }
            let mut members = self.queues[index].members.iter();
            let Some(place) = members.position(|m| m.has_interface(interface)) else {
                continue;
            };
            let mut member = std::mem::take(&mut self.queues[index].members[place]);
            change(self, &name, &mut member);
            self.queues[index].members[place] = member;
            self.distribute_soon(&name);
            found = true;
        }
        found
    }
}
