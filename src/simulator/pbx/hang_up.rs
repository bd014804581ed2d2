//! Ends calls: a caller abandons the queue, or a conversation completes.

use super::call::{AgentLeg, Call, CallId, CallPhase, Conversation};
use super::state::SimulatedPbx;
use super::timers::Timer;
use crate::simulator::behavior::Party;
use crate::simulator::event::AmiEvent;

impl SimulatedPbx {
    /// Hangs up every call, like `channel request hangup all`.
    pub(crate) fn hang_up_all(&mut self) {
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        for call_id in calls {
            self.hang_up(call_id, Party::Caller);
        }
    }

    /// Hangs up a call. `party` is ignored if no agent has answered.
    pub(super) fn hang_up(&mut self, call_id: CallId, party: Party) {
        let Some(call) = self.calls.remove(&call_id) else {
            return;
        };
        match &call.phase {
            CallPhase::Waiting(ringing) => self.abandon(call_id, &call, ringing),
            CallPhase::Answered(conversation) => self.complete(&call, conversation, party),
        }
    }

    /// Makes the caller hang up if no agent has answered.
    pub(super) fn give_up(&mut self, call_id: CallId) {
        let phase = self.calls.get(&call_id).map(|call| &call.phase);
        if matches!(phase, Some(CallPhase::Waiting(_))) {
            self.hang_up(call_id, Party::Caller);
        }
    }

    /// Starts the timer after which an agent ends the longest conversation, if agents do that.
    pub(crate) fn start_longest_call_timer(&mut self) {
        if let Some(interval) = self.behavior.longest_call_end_interval {
            self.start_timer(interval, Timer::EndLongestCall);
        }
    }

    /// Makes an agent who is not paused end the longest conversation. Starts the timer for the
    /// next time.
    pub(super) fn end_longest_call(&mut self) {
        let conversations = self.calls.iter().filter_map(|(id, call)| {
            let CallPhase::Answered(conversation) = &call.phase else {
                return None;
            };
            let is_paused = self.is_paused_anywhere(&conversation.agent.interface);
            (!is_paused).then_some((conversation.started_at, *id))
        });
        if let Some((_, call_id)) = conversations.min() {
            self.hang_up(call_id, Party::Agent);
        }
        self.start_longest_call_timer();
    }

    fn abandon(&mut self, call_id: CallId, call: &Call, ringing: &[AgentLeg]) {
        let id = &call.channel.unique_id;
        for leg in ringing {
            let ring_time = self.now.saturating_sub(leg.ringing_since).as_millis();
            let agent = &leg.member_name;
            self.append_to_queue_log(id, &call.queue, agent, "RINGCANCELED", ring_time);
        }
        let hold_time = self.now.saturating_sub(call.joined_at).as_secs();
        let Some(queue) = self.queue_mut(&call.queue) else {
            return;
        };
        let position = queue.caller_position(call_id).unwrap_or(0);
        let in_service_level = hold_time <= u64::from(queue.service_level);
        queue.statistics.count_abandoned(in_service_level);
        let headers = call
            .channel
            .headers("")
            .with("Queue", &call.queue)
            .with("Position", position)
            .with("OriginalPosition", call.original_position)
            .with("HoldTime", hold_time);
        self.emit(AmiEvent::agent("QueueCallerAbandon", &headers));
        let data = format!("{position}|{}|{hold_time}", call.original_position);
        self.append_to_queue_log(id, &call.queue, "NONE", "ABANDON", data);
        self.leave_queue(call_id, call);
        self.stop_ringing(ringing);
    }

    fn complete(&mut self, call: &Call, conversation: &Conversation, party: Party) {
        let agent = &conversation.agent;
        let hold_time = conversation.hold_time.as_secs();
        let talk_time = self.now.saturating_sub(conversation.started_at);
        let talk_seconds = talk_time.as_secs();
        let headers = agent
            .headers(&call.channel, &call.queue)
            .with("HoldTime", hold_time)
            .with("TalkTime", talk_seconds)
            .with("Reason", party.reason());
        self.emit(AmiEvent::agent("AgentComplete", &headers));
        let event = match party {
            Party::Agent => "COMPLETEAGENT",
            Party::Caller => "COMPLETECALLER",
        };
        let data = format!("{hold_time}|{talk_seconds}|{}", call.original_position);
        let (id, name) = (&call.channel.unique_id, &agent.member_name);
        self.append_to_queue_log(id, &call.queue, name, event, data);
        if let Some(queue) = self.queue_mut(&call.queue) {
            let in_service_level = hold_time <= u64::from(queue.service_level);
            queue
                .statistics
                .count_completed(talk_time, in_service_level);
            if let Some(member) = queue.member_mut(&agent.interface) {
                member.in_call = false;
            }
        }
        self.count_call(&call.queue, &agent.interface);
        self.update_device(&agent.device, |device| {
            device.active_calls = device.active_calls.saturating_sub(1);
        });
    }

    /// Counts a completed call of a member of `queue_name`, in all queues of the interface if
    /// they share the last call.
    fn count_call(&mut self, queue_name: &str, interface: &str) {
        let now = self.unix_seconds();
        let is_shared = self.shares_last_call;
        let queues = self.queues.iter_mut();
        for queue in queues.filter(|queue| is_shared || queue.name == queue_name) {
            if let Some(member) = queue.member_mut(interface) {
                member.calls_taken += 1;
                member.last_call = now;
                queue_name.clone_into(&mut member.last_queue);
            }
        }
    }
}
