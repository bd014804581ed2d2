//! Advances the simulated clock, and runs the timers that expire.

use std::time::Duration;

use super::state::SimulatedPbx;
use super::timers::Timer;

impl SimulatedPbx {
    /// Advances the simulated clock to `now`. Runs every timer that expires by `now`, with the
    /// clock set to the timer's expiry time.
    pub(crate) fn advance(&mut self, now: Duration) {
        while let Some((expiry, timer)) = self.timers.pop_expired(now) {
            self.now = self.now.max(expiry);
            self.run_timer(timer);
        }
        self.now = self.now.max(now);
    }

    fn run_timer(&mut self, timer: Timer) {
        match timer {
            Timer::GenerateCalls { source } => self.generate_calls(source),
            Timer::Distribute { queue } => self.run_scheduled_distribution(&queue),
            Timer::Answer { call_id, interface } => self.answer(call_id, &interface),
            Timer::RingTimeout { call_id, attempt } => self.end_ring_attempt(call_id, attempt),
            Timer::GiveUp { call_id } => self.give_up(call_id),
            Timer::HangUp { call_id, party } => self.hang_up(call_id, party),
            Timer::EndLongestCall => self.end_longest_call(),
            Timer::StartBreak { agent } => self.start_break(agent),
            Timer::BeginScheduledPause { index } => self.begin_scheduled_pause(index),
            Timer::EndScheduledPause { index } => self.end_scheduled_pause(index),
            Timer::EndBreak { agent, paused_at } => self.end_break(agent, paused_at),
        }
    }
}
