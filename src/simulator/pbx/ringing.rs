//! Calls members. Their devices ring until an agent answers or the ring timeout expires.

use std::time::Duration;

use super::call::{AgentLeg, Call, CallId, CallPhase};
use super::channel::ChannelState;
use super::queue::AutoPause;
use super::state::SimulatedPbx;
use super::timers::Timer;
use crate::simulator::event::AmiEvent;

/// The reason of Asterisk's pause for a missed call.
const AUTO_PAUSE_REASON: &str = "Auto-Pause";

impl SimulatedPbx {
    /// Calls the members with these interfaces in the call's queue.
    pub(super) fn call_members(&mut self, call_id: CallId, interfaces: &[String]) {
        let Some(mut call) = self.calls.remove(&call_id) else {
            return;
        };
        call.ring_attempts += 1;
        let mut ringing = Vec::new();
        for interface in interfaces {
            let Some(leg) = self.create_agent_leg(interface, &call) else {
                continue;
            };
            ringing.push(leg);
            let answer_delay = self.behavior.answer_delay(&mut self.random);
            if let Some(delay) = answer_delay.filter(|_| !self.behavior.is_absent(interface)) {
                let interface = interface.clone();
                self.start_timer(delay, Timer::Answer { call_id, interface });
            }
        }
        for leg in &ringing {
            self.update_device(&leg.device, |device| device.ringing_calls += 1);
        }
        if let Some(queue) = self.queue_mut(&call.queue) {
            let timeout = Duration::from_secs(queue.timeout);
            let attempt = call.ring_attempts;
            self.start_timer(timeout, Timer::RingTimeout { call_id, attempt });
        }
        call.phase = CallPhase::Waiting(ringing);
        self.calls.insert(call_id, call);
    }

    fn create_agent_leg(&mut self, interface: &str, call: &Call) -> Option<AgentLeg> {
        let channel = self.create_agent_channel(interface, call);
        let ringing_since = self.now;
        let queue = self.queue_mut(&call.queue)?;
        interface.clone_into(&mut queue.last_called);
        let member = queue.member_mut(interface)?;
        let mut leg = AgentLeg {
            interface: member.interface.clone(),
            member_name: member.name.clone(),
            device: member.state_interface.clone(),
            channel,
            ringing_since,
        };
        // Asterisk sends AgentCalled before the device rings.
        let headers = leg.headers(&call.channel, &call.queue);
        self.emit(AmiEvent::agent("AgentCalled", &headers));
        leg.channel.state = ChannelState::Ringing;
        Some(leg)
    }

    /// Ends a ring attempt that no agent has answered. Does nothing if a later attempt has
    /// begun.
    pub(super) fn end_ring_attempt(&mut self, call_id: CallId, attempt: u32) {
        let call = self.calls.get_mut(&call_id);
        let Some(call) = call.filter(|call| call.ring_attempts == attempt) else {
            return;
        };
        let CallPhase::Waiting(ringing) = &mut call.phase else {
            return;
        };
        let (ringing, caller) = (std::mem::take(ringing), call.channel.clone());
        let queue = call.queue.clone();
        for leg in &ringing {
            let ring_time = self.now.saturating_sub(leg.ringing_since).as_millis();
            let headers = leg.headers(&caller, &queue).with("RingTime", ring_time);
            self.emit(AmiEvent::agent("AgentRingNoAnswer", &headers));
            let (id, agent) = (&caller.unique_id, &leg.member_name);
            self.append_to_queue_log(id, &queue, agent, "RINGNOANSWER", ring_time);
            self.auto_pause(&queue, &leg.interface);
        }
        self.stop_ringing(&ringing);
        self.schedule_distribution(&queue);
    }

    /// Pauses a member who has not answered, if the queue's settings say so.
    fn auto_pause(&mut self, queue_name: &str, interface: &str) {
        let now = self.unix_seconds();
        let Some(queue) = self.queue_mut(queue_name) else {
            return;
        };
        let (setting, delay) = (queue.auto_pause, u64::from(queue.auto_pause_delay));
        // This finds nothing if the member was removed while its device rang.
        let member = queue.member_mut(interface);
        let may_pause =
            member.is_some_and(|member| member.last_call == 0 || now >= member.last_call + delay);
        let queue = match setting {
            AutoPause::Off => return,
            AutoPause::InQueue => Some(queue_name),
            AutoPause::InAllQueues => None,
        };
        if may_pause {
            // This can't fail, because the queue has the member.
            let _ = self.pause(queue, interface, true, AUTO_PAUSE_REASON);
        }
    }

    pub(super) fn stop_ringing(&mut self, legs: &[AgentLeg]) {
        for leg in legs {
            self.update_device(&leg.device, |device| {
                device.ringing_calls = device.ringing_calls.saturating_sub(1);
            });
        }
    }
}
