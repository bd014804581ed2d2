//! Selects the members that a queue calls for its waiting callers.

use super::call::CallPhase;
use super::member::Member;
use super::queue::{Queue, Strategy};
use super::state::SimulatedPbx;

impl SimulatedPbx {
    /// Distributes a queue's callers after its distribution timer has expired.
    pub(super) fn run_scheduled_distribution(&mut self, name: &str) {
        if let Some(queue) = self.queue_mut(name) {
            queue.distribution_scheduled = false;
        }
        self.distribute_callers(name);
    }

    /// In queue order, calls members for each waiting caller for whom no device is ringing. If no
    /// member is available, starts the distribution timer.
    pub(super) fn distribute_callers(&mut self, name: &str) {
        let callers = self.queue_mut(name).map(|queue| queue.callers.clone());
        for call_id in callers.unwrap_or_default() {
            let phase = self.calls.get(&call_id).map(|call| &call.phase);
            if !matches!(phase, Some(CallPhase::Waiting(ringing)) if ringing.is_empty()) {
                continue;
            }
            let interfaces = self.select_members(name);
            if interfaces.is_empty() {
                self.schedule_distribution(name);
                return;
            }
            self.call_members(call_id, &interfaces);
        }
    }

    /// Selects the members to call next from the available members with the lowest penalty.
    /// Returns their interfaces: all of them if the strategy is `ringall`, otherwise one.
    fn select_members(&mut self, name: &str) -> Vec<String> {
        let now = self.unix_seconds();
        let random_number = self.random.usize(..);
        let mut queues = self.queues.iter();
        let Some(queue) = queues.find(|queue| queue.name == name) else {
            return Vec::new();
        };
        // Asterisk first looks whether any member is free, by the wrap-up time of this queue.
        let is_free = |member: &Member| member.is_available(now, queue.wrapup);
        if !queue.members.iter().any(is_free) {
            return Vec::new();
        }
        // Then it checks each member, by the wrap-up time of the queue of the member's last call.
        let available = queue
            .members
            .iter()
            .filter(|member| member.is_available(now, self.last_wrapup(member, queue)));
        let lowest_penalty = available.clone().map(|member| member.penalty).min();
        // Asterisk prepends each candidate to its list, so the candidates are in reverse
        // order.
        let mut candidates: Vec<_> = available
            .filter(|member| Some(member.penalty) == lowest_penalty)
            .rev()
            .collect();
        sort_by_strategy(&mut candidates, queue, random_number);
        if queue.strategy != Strategy::RingAll {
            candidates.truncate(1);
        }
        let interfaces = candidates.iter().map(|member| member.interface.clone());
        interfaces.collect()
    }

    /// Returns the wrap-up time of the queue of a member's last call, or of `queue` if that is
    /// not known.
    fn last_wrapup(&self, member: &Member, queue: &Queue) -> u32 {
        let mut queues = self.queues.iter();
        let last_queue = queues.find(|queue| queue.name == member.last_queue);
        last_queue.unwrap_or(queue).wrapup
    }
}

/// Moves the member that the strategy prefers to the front.
fn sort_by_strategy(candidates: &mut [&Member], queue: &Queue, random_number: usize) {
    match queue.strategy {
        Strategy::RingAll => {}
        Strategy::LeastRecent => candidates.sort_by_key(|member| member.last_call),
        Strategy::FewestCalls => candidates.sort_by_key(|member| member.calls_taken),
        Strategy::Random => {
            if !candidates.is_empty() {
                candidates.rotate_left(random_number % candidates.len());
            }
        }
        Strategy::RrMemory => {
            // Start with the member after the last called member.
            candidates.reverse();
            let last_called = queue.member_index(&queue.last_called);
            candidates.sort_by_key(|member| queue.member_index(&member.interface) <= last_called);
        }
        Strategy::Linear => candidates.reverse(),
    }
}
