//! Generates the breaks that agents take.

use super::state::SimulatedPbx;
use super::timers::Timer;
use crate::simulator::behavior::random_duration;

impl SimulatedPbx {
    /// Starts a break timer for every agent who takes breaks.
    pub(crate) fn start_break_timers(&mut self) {
        for agent in 0..self.behavior.breaks.interfaces.len() {
            let delay = random_duration(&mut self.random, &self.behavior.breaks.first_after_ms);
            self.start_timer(delay, Timer::StartBreak { agent });
        }
    }

    /// Pauses an agent in every queue, unless the agent is already paused in one of the
    /// queues.
    pub(super) fn start_break(&mut self, agent: usize) {
        let breaks = &self.behavior.breaks;
        let Some(interface) = breaks.interfaces.get(agent).cloned() else {
            return;
        };
        let reason = self.random.choice(&breaks.reasons);
        let reason = reason.cloned().unwrap_or_default();
        let length = random_duration(&mut self.random, &breaks.length_ms);
        let is_paused = self.is_paused_anywhere(&interface);
        let mut paused_at = 0;
        if !is_paused && self.pause(None, &interface, true, &reason).is_ok() {
            paused_at = self.unix_seconds();
        }
        self.start_timer(length, Timer::EndBreak { agent, paused_at });
    }

    /// Unpauses an agent, unless someone has unpaused the agent or paused the agent again
    /// since the break began.
    pub(super) fn end_break(&mut self, agent: usize, paused_at: u64) {
        let Some(interface) = self.behavior.breaks.interfaces.get(agent).cloned() else {
            return;
        };
        let is_on_break = self.queues.iter_mut().any(|queue| {
            let member = queue.member_mut(&interface);
            member.is_some_and(|member| member.paused && member.last_pause == paused_at)
        });
        if is_on_break {
            // This can't fail, because a queue has the member.
            let _ = self.pause(None, &interface, false, "");
        }
        let delay = random_duration(&mut self.random, &self.behavior.breaks.interval_ms);
        self.start_timer(delay, Timer::StartBreak { agent });
    }
}
