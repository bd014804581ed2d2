//! Makes callers join and leave queues.

use std::time::Duration;

use super::call::{Call, CallId, CallPhase};
use super::channel::Channel;
use super::state::SimulatedPbx;
use super::timers::Timer;
use crate::simulator::event::AmiEvent;

impl SimulatedPbx {
    /// Makes a caller join a queue. The caller hangs up after `patience` if no agent answers.
    /// Does nothing if the queue is full or unknown.
    pub(super) fn join_queue(&mut self, queue: &str, channel: Channel, patience: Duration) {
        // Every caller has a new channel, so the number of channels created identifies the
        // call.
        let call_id: CallId = self.channels_created;
        let joined_at = self.now;
        let Some(queue) = self.queue_mut(queue) else {
            return;
        };
        if queue.max_callers > 0 && queue.callers.len() >= queue.max_callers as usize {
            return;
        }
        queue.callers.push(call_id);
        let (name, position) = (queue.name.clone(), queue.callers.len());
        let headers = channel
            .headers("")
            .with("Queue", &name)
            .with("Position", position)
            .with("Count", position);
        self.emit(AmiEvent::agent("QueueCallerJoin", &headers));
        let data = format!("|{}|{position}", channel.caller_id_number);
        self.append_to_queue_log(&channel.unique_id, &name, "NONE", "ENTERQUEUE", data);
        let call = Call {
            queue: name.clone(),
            channel,
            joined_at,
            original_position: position,
            ring_attempts: 0,
            phase: CallPhase::Waiting(Vec::new()),
        };
        self.calls.insert(call_id, call);
        self.start_timer(patience, Timer::GiveUp { call_id });
        self.distribute_callers(&name);
    }

    /// Removes a caller from a queue, because an agent answered or the caller hung up.
    pub(super) fn leave_queue(&mut self, call_id: CallId, call: &Call) {
        let Some(queue) = self.queue_mut(&call.queue) else {
            return;
        };
        let position = queue.caller_position(call_id).unwrap_or(0);
        queue.callers.retain(|caller| *caller != call_id);
        let headers = call
            .channel
            .headers("")
            .with("Queue", &call.queue)
            .with("Position", position)
            .with("Count", queue.callers.len());
        self.emit(AmiEvent::agent("QueueCallerLeave", &headers));
    }
}
