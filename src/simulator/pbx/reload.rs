//! Reloads the queues, or restarts Asterisk. Neither operation causes an event.

use super::device::Device;
use super::member::Member;
use super::queue::Queue;
use super::queues_conf::{parse_queues, parse_shared_last_call};
use super::state::SimulatedPbx;

impl SimulatedPbx {
    /// Reloads the queues from a `queues.conf`, like `queue reload all`. Queues retain
    /// their dynamic members, callers and statistics. Static members retain their pause
    /// and their call counters, and lose everything else, such as the pause reason.
    pub(crate) fn reload_queues(&mut self, queues_conf: &str) {
        let mut queues = parse_queues(queues_conf, self.unix_seconds());
        for queue in &mut queues {
            if let Some(old) = self.queues.iter().find(|old| old.name == queue.name) {
                retain_on_reload(queue, old);
            }
        }
        self.queues = queues;
        self.shares_last_call = parse_shared_last_call(queues_conf);
        let queues = &self.queues;
        self.calls
            .retain(|_, call| queues.iter().any(|queue| queue.name == call.queue));
        self.refresh_member_statuses();
        let names: Vec<_> = self.queues.iter().map(|queue| queue.name.clone()).collect();
        for name in &names {
            self.schedule_distribution(name);
        }
    }

    /// Restarts Asterisk. Calls and statistics are lost. Asterisk restores the dynamic
    /// members with their pauses and pause reasons from its database.
    pub(crate) fn restart(&mut self, queues_conf: &str) {
        let now = self.unix_seconds();
        let old_queues = std::mem::replace(&mut self.queues, parse_queues(queues_conf, now));
        self.shares_last_call = parse_shared_last_call(queues_conf);
        self.calls.clear();
        // Asterisk's database also contains the states set by `devstate change`.
        self.devices.values_mut().for_each(Device::clear_calls);
        self.take_events();
        self.append_to_queue_log("NONE", "NONE", "NONE", "QUEUESTART", "");
        for old in old_queues {
            let Some(queue) = self.queue_mut(&old.name) else {
                continue;
            };
            for member in old.members.into_iter().filter(|member| member.is_dynamic) {
                queue.insert_member(restored_member(member, old.ring_in_use, now));
            }
        }
        self.refresh_member_statuses();
    }
}

/// Copies the state that a reload retains from the old queue.
fn retain_on_reload(queue: &mut Queue, old: &Queue) {
    for member in &mut queue.members {
        let is_same_member = |old: &&Member| old.has_interface(&member.interface);
        if let Some(old) = old.members.iter().find(is_same_member) {
            member.paused = old.paused;
            member.last_pause = old.last_pause;
            member.calls_taken = old.calls_taken;
            member.last_call = old.last_call;
        }
    }
    for member in old.members.iter().filter(|member| member.is_dynamic) {
        queue.insert_member(member.clone());
    }
    queue.callers.clone_from(&old.callers);
    queue.statistics = old.statistics.clone();
}

/// Returns a dynamic member in the state that Asterisk restores after a restart.
fn restored_member(old: Member, ring_in_use: bool, now: u64) -> Member {
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
    use crate::simulator::behavior::Behavior;

    const DANA: &str = "PJSIP/1001";
    const SAM: &str = "Local/1050@acme-agents";
    const QUEUES: &str = "[one]\nmember => Local/1050@acme-agents,2,Sam\n[two]\n";

    /// Returns the pause, reason, penalty and login time of a member of queue `one`.
    fn member_state(pbx: &mut SimulatedPbx, interface: &str) -> (bool, String, u32, u64) {
        let queue = pbx.queue_mut("one");
        let member = queue.and_then(|queue| queue.member_mut(interface));
        let member = member.expect("a member").clone();
        (
            member.paused,
            member.reason,
            member.penalty,
            member.login_time,
        )
    }

    #[test]
    fn reload_and_restart_retain_the_same_state_as_asterisk() {
        let start_time = Duration::from_secs(1_000);
        let mut pbx = SimulatedPbx::new(QUEUES, Behavior::sample_dialplan(), 1, start_time);
        for queue in ["one", "two"] {
            let member = Member::new(DANA, "", "", 1_000);
            pbx.add_member(queue, member, None)
                .expect("a successful addition");
        }
        for interface in [DANA, SAM] {
            pbx.pause(Some("one"), interface, true, "Lunch")
                .expect("a successful pause");
            pbx.set_penalty(Some("one"), interface, Some(9))
                .expect("a successful change");
        }
        pbx.advance(Duration::from_secs(7));
        pbx.take_events();
        let lunch = "Lunch".to_owned();
        pbx.reload_queues(&QUEUES.replace("[two]", "[three]"));
        assert!(pbx.queue_mut("two").is_none() && pbx.queue_mut("three").is_some());
        assert_eq!(
            member_state(&mut pbx, DANA),
            (true, lunch.clone(), 9, 1_000)
        );
        assert_eq!(member_state(&mut pbx, SAM), (true, String::new(), 2, 1_007));
        pbx.restart(QUEUES);
        assert_eq!(member_state(&mut pbx, DANA), (true, lunch, 9, 1_007));
        assert_eq!(
            member_state(&mut pbx, SAM),
            (false, String::new(), 2, 1_007)
        );
        assert_eq!(pbx.take_events(), []);
    }
}
