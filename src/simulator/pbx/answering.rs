//! Answers calls.

use super::call::{AgentLeg, CallId, CallPhase, Conversation};
use super::channel::ChannelState;
use super::state::SimulatedPbx;
use super::timers::Timer;
use crate::simulator::event::AmiEvent;

impl SimulatedPbx {
    /// Makes a member answer a call. Does nothing if the member's device is no longer ringing
    /// for the call.
    pub(super) fn answer(&mut self, call_id: CallId, interface: &str) {
        let Some((mut agent, other_legs)) = self.take_answering_leg(call_id, interface) else {
            return;
        };
        let Some(mut call) = self.calls.remove(&call_id) else {
            return;
        };
        agent.channel.state = ChannelState::Up;
        self.update_device(&agent.device, |device| {
            device.ringing_calls = device.ringing_calls.saturating_sub(1);
            device.active_calls += 1;
        });
        let hold_time = self.now.saturating_sub(call.joined_at);
        let ring_time = self.now.saturating_sub(agent.ringing_since).as_secs();
        if let Some(queue) = self.queue_mut(&call.queue) {
            queue.statistics.count_answered(hold_time);
        }
        self.leave_queue(call_id, &call);
        let hold_seconds = hold_time.as_secs();
        let headers = agent
            .headers(&call.channel, &call.queue)
            .with("HoldTime", hold_seconds)
            .with("RingTime", ring_time);
        self.emit(AmiEvent::agent("AgentConnect", &headers));
        let data = format!("{hold_seconds}|{}|{ring_time}", agent.channel.unique_id);
        let (id, name) = (&call.channel.unique_id, &agent.member_name);
        self.append_to_queue_log(id, &call.queue, name, "CONNECT", data);
        // Asterisk sends no event when `in_call` changes.
        let queue = self.queue_mut(&call.queue);
        if let Some(member) = queue.and_then(|queue| queue.member_mut(interface)) {
            member.in_call = true;
        }
        self.stop_ringing(&other_legs);
        let (talk_time, party) = self.behavior.conversation_end(&mut self.random);
        self.start_timer(talk_time, Timer::HangUp { call_id, party });
        call.phase = CallPhase::Answered(Box::new(Conversation {
            agent,
            started_at: self.now,
            hold_time,
        }));
        self.calls.insert(call_id, call);
    }

    /// Removes the ringing legs from a call. Returns the leg of the answering member, and all
    /// other legs.
    fn take_answering_leg(
        &mut self,
        call_id: CallId,
        interface: &str,
    ) -> Option<(AgentLeg, Vec<AgentLeg>)> {
        let CallPhase::Waiting(ringing) = &mut self.calls.get_mut(&call_id)?.phase else {
            return None;
        };
        let index = ringing.iter().position(|leg| leg.interface == interface)?;
        let answering = ringing.remove(index);
        Some((answering, std::mem::take(ringing)))
    }
}
