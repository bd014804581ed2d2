//! Runs the pauses that the configuration schedules.

use super::state::SimulatedPbx;
use super::timers::Timer;
use crate::simulator::behavior::ScheduledPause;

impl SimulatedPbx {
    /// Starts the timers of every scheduled pause.
    pub(crate) fn start_scheduled_pause_timers(&mut self) {
        for index in 0..self.behavior.scheduled_pauses.len() {
            let pause = self.behavior.scheduled_pauses[index].clone();
            if let Some(delay) = pause.begins_after {
                self.start_timer(delay, Timer::BeginScheduledPause { index });
            }
            self.start_timer(pause.ends_after, Timer::EndScheduledPause { index });
        }
    }

    /// Pauses the agent in every queue, unless the agent is already paused in one of the queues.
    pub(super) fn begin_scheduled_pause(&mut self, index: usize) {
        let timer = Timer::BeginScheduledPause { index };
        let Some(pause) = self.restart_schedule(index, timer) else {
            return;
        };
        if !self.is_paused_anywhere(&pause.interface) {
            // This fails if no queue has the agent.
            let _ = self.pause(None, &pause.interface, true, &pause.reason);
        }
    }

    /// Unpauses the agent in every queue in which the agent is paused with the scheduled reason.
    pub(super) fn end_scheduled_pause(&mut self, index: usize) {
        let timer = Timer::EndScheduledPause { index };
        let Some(pause) = self.restart_schedule(index, timer) else {
            return;
        };
        for queue_index in 0..self.queues.len() {
            let queue = &self.queues[queue_index];
            let member = queue.member_index(&pause.interface);
            let is_on_pause = member.is_some_and(|index| {
                let member = &queue.members[index];
                member.paused && member.reason == pause.reason
            });
            if is_on_pause {
                let name = queue.name.clone();
                // This can't fail, because the queue has the member.
                let _ = self.pause(Some(&name), &pause.interface, false, "");
            }
        }
    }

    /// Starts the timer again for the next time, and returns the scheduled pause.
    fn restart_schedule(&mut self, index: usize, timer: Timer) -> Option<ScheduledPause> {
        let pause = self.behavior.scheduled_pauses.get(index).cloned()?;
        self.start_timer(pause.interval, timer);
        Some(pause)
    }
}
