//! The way of a call to an agent: it joins a queue, and telephones ring; with the
//! events of Asterisk 22, in its order.

use std::time::Duration;

use super::call::{Call, Channel, Phase, Ring};
use super::event::Event;
use super::pbx::{Due, Pbx};
use super::queue::{Queue, Strategy};

/// How soon Asterisk looks again whether an agent is free.
const RETRY: Duration = Duration::from_secs(1);

impl Pbx {
    /// A caller joins a queue that has room, and gives up in time; which call it
    /// is.
    pub(super) fn join(
        &mut self,
        queue: &str,
        channel: Channel,
        patience: Duration,
    ) -> Option<u64> {
        let joined = self.now;
        let number = self.channels;
        let queue = self.queue(queue)?;
        if queue.max > 0 && queue.callers.len() >= queue.max as usize {
            return None;
        }
        queue.callers.push(number);
        let (name, position) = (queue.name.clone(), queue.callers.len());
        let body = channel
            .snapshot("")
            .put("Queue", &name)
            .put("Position", position)
            .put("Count", position);
        self.tell(Event::agent("QueueCallerJoin", &body));
        let data = format!("|{}|{position}", channel.number);
        self.log(&channel.id, &name, "NONE", "ENTERQUEUE", data);
        let call = Call {
            queue: name.clone(),
            channel,
            joined,
            first_position: position,
            attempt: 0,
            phase: Phase::Waiting(Vec::new()),
        };
        self.calls.insert(number, call);
        self.plan(patience, Due::GiveUp(number));
        self.distribute(&name);
        Some(number)
    }

    /// Asterisk sees at its next look that someone may have become free; it looks
    /// again as long as someone waits.
    pub(super) fn distribute_soon(&mut self, queue: &str) {
        let waits = |queue: &&mut Queue| !queue.callers.is_empty() && !queue.look_is_planned;
        if let Some(queue) = self.queue(queue).filter(waits) {
            queue.look_is_planned = true;
            let name = queue.name.clone();
            self.plan(RETRY, Due::Look(name));
        }
    }

    /// The look that was planned.
    pub(super) fn look(&mut self, name: &str) {
        if let Some(queue) = self.queue(name) {
            queue.look_is_planned = false;
        }
        self.distribute(name);
    }

    /// Rings agents for each caller who waits, the first one first.
    fn distribute(&mut self, name: &str) {
        let callers = self.queue(name).map(|queue| queue.callers.clone());
        for call in callers.unwrap_or_default() {
            let rings = self.calls.get(&call).map(|call| &call.phase);
            if !matches!(rings, Some(Phase::Waiting(rings)) if rings.is_empty()) {
                continue;
            }
            let interfaces = self.choose(name);
            if interfaces.is_empty() {
                self.distribute_soon(name);
                return;
            }
            self.ring(call, &interfaces);
        }
    }

    /// The members that ring next: the free ones of the lowest penalty, all or
    /// one of them.
    fn choose(&mut self, name: &str) -> Vec<String> {
        let now = self.unix();
        let roll = self.random.usize(..);
        let Some(queue) = self.queue(name) else {
            return Vec::new();
        };
        let free = queue
            .members
            .iter()
            .filter(|member| member.is_available(now, queue.wrapup));
        let penalty = free.clone().map(|member| member.penalty).min();
        // Asterisk builds its list from behind.
        let mut free: Vec<_> = free.filter(|m| Some(m.penalty) == penalty).rev().collect();
        match queue.strategy {
            Strategy::RingAll => {}
            Strategy::LeastRecent => free.sort_by_key(|member| member.last_call),
            Strategy::FewestCalls => free.sort_by_key(|member| member.calls_taken),
            Strategy::Random if !free.is_empty() => {
                let place = roll % free.len();
                free.rotate_left(place);
            }
            Strategy::Random => {}
            Strategy::RrMemory => {
                free.reverse();
                free.sort_by_key(|member| {
                    let place = position(queue, &member.interface);
                    place <= position(queue, &queue.last_rung)
                });
            }
            Strategy::Linear => free.reverse(),
        }
        if queue.strategy != Strategy::RingAll {
            free.truncate(1);
        }
        free.iter().map(|member| member.interface.clone()).collect()
    }

    fn ring(&mut self, number: u64, interfaces: &[String]) {
        let Some(mut call) = self.calls.remove(&number) else {
            return;
        };
        call.attempt += 1;
        let mut rings = Vec::new();
        for interface in interfaces {
            let channel = self.agent_channel(interface, &call);
            let since = self.now;
            let Some(queue) = self.queue(&call.queue) else {
                continue;
            };
            queue.last_rung.clone_from(interface);
            let Some(member) = queue.member(interface) else {
                continue;
            };
            let mut ring = Ring {
                interface: member.interface.clone(),
                member_name: member.name.clone(),
                device: member.state_interface.clone(),
                channel,
                since,
            };
            let body = ring.body(&call.channel, &call.queue);
            self.tell(Event::agent("AgentCalled", &body));
            ring.channel.state = 5;
            rings.push(ring);
            if let Some(delay) = self.habits.pick_up(&mut self.random) {
                let interface = interface.clone();
                self.plan(
                    delay,
                    Due::Answer {
                        call: number,
                        interface,
                    },
                );
            }
        }
        for ring in &rings {
            self.change_device(&ring.device, |device| device.ringing += 1);
        }
        let timeout = self.queue(&call.queue).map_or(15, |queue| queue.timeout);
        let attempt = call.attempt;
        self.plan(
            Duration::from_secs(timeout),
            Due::RingTimeout {
                call: number,
                attempt,
            },
        );
        call.phase = Phase::Waiting(rings);
        self.calls.insert(number, call);
    }

    pub(super) fn ring_timeout(&mut self, number: u64, attempt: u32) {
        let Some(call) = self
            .calls
            .get_mut(&number)
            .filter(|call| call.attempt == attempt)
        else {
            return;
        };
        let Phase::Waiting(rings) = &mut call.phase else {
            return;
        };
        let (rings, caller) = (std::mem::take(rings), call.channel.clone());
        let queue = call.queue.clone();
        for ring in &rings {
            let rang = self.now.saturating_sub(ring.since).as_millis();
            let body = ring.body(&caller, &queue).put("RingTime", rang);
            self.tell(Event::agent("AgentRingNoAnswer", &body));
            self.log(&caller.id, &queue, &ring.member_name, "RINGNOANSWER", rang);
        }
        self.stop_ringing(&rings);
        self.distribute_soon(&queue);
    }
}

fn position(queue: &Queue, interface: &str) -> Option<usize> {
    let mut members = queue.members.iter();
    members.position(|member| member.has_interface(interface))
}
