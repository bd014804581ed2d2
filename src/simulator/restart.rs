//! What no event tells: Asterisk reads its configuration again, or starts anew.

use super::conf;
use super::device::Device;
use super::member::Member;
use super::pbx::Pbx;
use super::queue::Queue;

impl Pbx {
    /// `queue reload all`: dynamic members and figures stay; a member of the
    /// configuration keeps its pause and its counters, and loses the rest.
    pub(super) fn reload(&mut self, queues_conf: &str) {
        let mut queues = conf::queues(queues_conf, self.unix());
        for queue in &mut queues {
            let Some(old) = self.queues.iter().find(|old| old.name == queue.name) else {
                continue;
            };
            for member in &mut queue.members {
                let same = |old: &&Member| old.has_interface(&member.interface);
                if let Some(old) = old.members.iter().find(same) {
                    member.paused = old.paused;
                    member.last_pause = old.last_pause;
                    member.calls_taken = old.calls_taken;
                    member.last_call = old.last_call;
                }
            }
            for member in old.members.iter().filter(|member| member.is_dynamic) {
                queue.insert(member.clone());
            }
            queue.callers.clone_from(&old.callers);
            queue.figures = old.figures.clone();
        }
        self.queues = queues;
        let queues = &self.queues;
        self.calls
            .retain(|_, call| queues.iter().any(|queue| queue.name == call.queue));
        self.look_at_devices();
        let names: Vec<_> = self.queues.iter().map(|queue| queue.name.clone()).collect();
        names.iter().for_each(|name| self.distribute_soon(name));
    }

    /// A new start: calls and figures are gone, dynamic members come back from
    /// Asterisk's database with their pause and its reason.
    pub(super) fn restart(&mut self, queues_conf: &str) {
        let now = self.unix();
        let kept = std::mem::replace(&mut self.queues, conf::queues(queues_conf, now));
        self.calls.clear();
        // A state that was set by hand is kept in the database too.
        self.devices.values_mut().for_each(Device::hang_up);
        self.take_events();
        self.log("NONE", "NONE", "NONE", "QUEUESTART", "");
        for old in kept {
            let ring_in_use = old.ring_in_use;
            let Some(queue) = self.queue(&old.name) else {
                continue;
            };
            for member in old.members.into_iter().filter(|member| member.is_dynamic) {
                queue.insert(kept_member(member, ring_in_use, now));
            }
        }
        self.look_at_devices();
    }

    /// The members have the states of their devices, without a word.
    pub(super) fn look_at_devices(&mut self) {
        let devices = &self.devices;
        let members = self
            .queues
            .iter_mut()
            .flat_map(|queue: &mut Queue| &mut queue.members);
        for member in members {
            member.status = super::device::status(devices, &member.state_interface);
        }
    }
}

fn kept_member(old: Member, ring_in_use: bool, now: u64) -> Member {
    let mut member = Member::new(&old.interface, &old.name, &old.state_interface, now);
    member.penalty = old.penalty;
    member.wrapup = old.wrapup;
    member.ring_in_use = ring_in_use;
    if old.paused {
        member.set_paused(true, &old.reason, now);
    }
    member
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::simulator::habits::Habits;

    const DANA: &str = "PJSIP/1001";
    const QUEUES: &str = "[one]\nmember => Local/1050@acme-agents,2,Sam\n[two]\n";

    #[test]
    fn a_reload_and_a_restart_keep_what_asterisk_keeps() {
        let mut pbx = Pbx::new(QUEUES, Habits::sample(), 1, Duration::from_secs(1_000));
        let sam = "Local/1050@acme-agents";
        for queue in ["one", "two"] {
            let member = Member::new(DANA, "", "", 1_000);
            pbx.add(queue, member, None).expect("added");
        }
        for interface in [DANA, sam] {
            pbx.pause(Some("one"), interface, true, "Lunch")
                .expect("paused");
            pbx.set_penalty(Some("one"), interface, Some(9))
                .expect("set");
        }
        pbx.advance(Duration::from_secs(7));
        pbx.take_events();
        let brief = |pbx: &mut Pbx, interface: &str| {
            let member = pbx.queue("one").and_then(|queue| queue.member(interface));
            let member = member.expect("a member").clone();
            (
                member.paused,
                member.reason,
                member.penalty,
                member.login_time,
            )
        };
        pbx.reload(&QUEUES.replace("[two]", "[three]"));
        assert!(pbx.queue("two").is_none() && pbx.queue("three").is_some());
        assert_eq!(brief(&mut pbx, DANA), (true, "Lunch".to_owned(), 9, 1_000));
        assert_eq!(brief(&mut pbx, sam), (true, String::new(), 2, 1_007));
        pbx.restart(QUEUES);
        assert_eq!(brief(&mut pbx, DANA), (true, "Lunch".to_owned(), 9, 1_007));
        assert_eq!(brief(&mut pbx, sam), (false, String::new(), 2, 1_007));
        assert_eq!(pbx.take_events(), []);
    }
}
