//! The rest of a call: it is answered, and someone hangs up; with the events of
//! Asterisk 22, in its order.

use super::call::{Call, Phase, Ring, Talk};
use super::event::Event;
use super::pbx::{Due, Pbx};

impl Pbx {
    pub(super) fn stop_ringing(&mut self, rings: &[Ring]) {
        for ring in rings {
            self.change_device(&ring.device, |device| {
                device.ringing = device.ringing.saturating_sub(1);
            });
        }
    }

    /// An agent picks up, where that telephone still rings.
    pub(super) fn answer(&mut self, number: u64, interface: &str) {
        let now = self.now;
        let phase = self.calls.get_mut(&number).map(|call| &mut call.phase);
        let Some(Phase::Waiting(rings)) = phase else {
            return;
        };
        let Some(place) = rings.iter().position(|ring| ring.interface == interface) else {
            return;
        };
        let mut ring = rings.remove(place);
        let others = std::mem::take(rings);
        let Some(mut call) = self.calls.remove(&number) else {
            return;
        };
        ring.channel.state = 6;
        self.change_device(&ring.device, |device| {
            device.ringing = device.ringing.saturating_sub(1);
            device.talking += 1;
        });
        let hold = now.saturating_sub(call.joined);
        let rang = now.saturating_sub(ring.since);
        if let Some(queue) = self.queue(&call.queue) {
            queue.figures.connected(hold);
        }
        self.leave(number, &call);
        let body = ring.body(&call.channel, &call.queue);
        let body = body
            .put("HoldTime", hold.as_secs())
            .put("RingTime", rang.as_secs());
        self.tell(Event::agent("AgentConnect", &body));
        let data = format!("{}|{}|{}", hold.as_secs(), ring.channel.id, rang.as_secs());
        self.log(
            &call.channel.id,
            &call.queue,
            &ring.member_name,
            "CONNECT",
            data,
        );
        // No event tells this.
        if let Some(member) = self.queue(&call.queue).and_then(|q| q.member(interface)) {
            member.in_call = true;
        }
        self.stop_ringing(&others);
        let (length, by) = self.habits.talk(&mut self.random);
        self.plan(length, Due::TalkEnd { call: number, by });
        let since = now;
        call.phase = Phase::Talking(Box::new(Talk { ring, since, hold }));
        self.calls.insert(number, call);
    }

    /// The caller is in the queue no more.
    fn leave(&mut self, number: u64, call: &Call) {
        let Some(queue) = self.queue(&call.queue) else {
            return;
        };
        let position = queue.callers.iter().position(|caller| *caller == number);
        queue.callers.retain(|caller| *caller != number);
        let body = call
            .channel
            .snapshot("")
            .put("Queue", &call.queue)
            .put("Position", position.map_or(0, |place| place + 1))
            .put("Count", queue.callers.len());
        self.tell(Event::agent("QueueCallerLeave", &body));
    }

    /// Someone hangs up: the caller who waits, or one of the two who talk.
    pub(super) fn hang_up(&mut self, number: u64, by: &str) {
        let Some(call) = self.calls.remove(&number) else {
            return;
        };
        match &call.phase {
            Phase::Waiting(rings) => self.abandon(number, &call, rings),
            Phase::Talking(talk) => self.complete(&call, talk, by),
        }
    }

    /// The caller has waited long enough.
    pub(super) fn give_up(&mut self, number: u64) {
        let phase = self.calls.get(&number).map(|call| &call.phase);
        if matches!(phase, Some(Phase::Waiting(_))) {
            self.hang_up(number, "caller");
        }
    }

    fn abandon(&mut self, number: u64, call: &Call, rings: &[Ring]) {
        let now = self.now;
        let waited = now.saturating_sub(call.joined);
        for ring in rings {
            let rang = now.saturating_sub(ring.since).as_millis();
            let id = &call.channel.id;
            self.log(id, &call.queue, &ring.member_name, "RINGCANCELED", rang);
        }
        let Some(queue) = self.queue(&call.queue) else {
            return;
        };
        let position = queue.callers.iter().position(|caller| *caller == number);
        let position = position.map_or(0, |place| place + 1);
        let in_level = waited.as_secs() <= u64::from(queue.service_level);
        queue.figures.abandoned(in_level);
        let body = call
            .channel
            .snapshot("")
            .put("Queue", &call.queue)
            .put("Position", position)
            .put("OriginalPosition", call.first_position)
            .put("HoldTime", waited.as_secs());
        self.tell(Event::agent("QueueCallerAbandon", &body));
        let data = format!("{position}|{}|{}", call.first_position, waited.as_secs());
        self.log(&call.channel.id, &call.queue, "NONE", "ABANDON", data);
        self.leave(number, call);
        self.stop_ringing(rings);
    }

    fn complete(&mut self, call: &Call, talk: &Talk, by: &str) {
        let Talk { ring, since, hold } = talk;
        let (talk, unix) = (self.now.saturating_sub(*since), self.unix());
        let body = ring
            .body(&call.channel, &call.queue)
            .put("HoldTime", hold.as_secs())
            .put("TalkTime", talk.as_secs())
            .put("Reason", by);
        self.tell(Event::agent("AgentComplete", &body));
        let what = if by == "agent" {
            "COMPLETEAGENT"
        } else {
            "COMPLETECALLER"
        };
        let data = format!(
            "{}|{}|{}",
            hold.as_secs(),
            talk.as_secs(),
            call.first_position
        );
        self.log(&call.channel.id, &call.queue, &ring.member_name, what, data);
        if let Some(queue) = self.queue(&call.queue) {
            let in_level = hold.as_secs() <= u64::from(queue.service_level);
            queue.figures.completed(talk, in_level);
            if let Some(member) = queue.member(&ring.interface) {
                member.in_call = false;
                member.calls_taken += 1;
                member.last_call = unix;
            }
        }
        self.change_device(&ring.device, |device| {
            device.talking = device.talking.saturating_sub(1);
        });
    }
}
