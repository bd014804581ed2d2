//! Generates calls to queues.

use super::state::SimulatedPbx;
use super::timers::Timer;
use crate::simulator::behavior::random_duration;

/// The delay before each source's first call, in milliseconds. It is short, so that queues are
/// not empty for long.
const FIRST_CALL_DELAY_MS: std::ops::Range<u64> = 500..4_000;

impl SimulatedPbx {
    /// Starts a call timer for every caller source.
    pub(crate) fn start_call_timers(&mut self) {
        for source in 0..self.behavior.caller_sources.len() {
            let delay = random_duration(&mut self.random, &FIRST_CALL_DELAY_MS);
            self.start_timer(delay, Timer::GenerateCalls { source });
        }
    }

    /// Generates a source's calls, and starts the timer for its next ones.
    pub(super) fn generate_calls(&mut self, source: usize) {
        let Some(source_behavior) = self.behavior.caller_sources.get(source).cloned() else {
            return;
        };
        let delay = random_duration(&mut self.random, &source_behavior.interval_ms);
        self.start_timer(delay, Timer::GenerateCalls { source });
        for _ in 0..source_behavior.callers {
            let caller_id = self.random.choice(&self.behavior.caller_ids);
            let caller_id = caller_id.cloned().unwrap_or_default();
            let patience = self.behavior.patience(&mut self.random);
            let channel = self.create_trunk_channel(&source_behavior.queue, caller_id);
            self.join_queue(&source_behavior.queue, channel, patience);
        }
    }

    /// Makes a caller join a queue, like `channel originate Local/QUEUE@callers` with the
    /// dialplan in `asterisk-sample`.
    pub(crate) fn originate_call(&mut self, queue: &str) {
        let channel = self.create_local_caller_channel(queue);
        let patience = self.behavior.patience(&mut self.random);
        self.join_queue(queue, channel, patience);
    }
}
