//! Callers that come by themselves, agents that have a rest, and the channels of
//! both.

use std::time::Duration;

use super::call::{Call, Channel};
use super::habits::pick;
use super::pbx::{Due, Pbx};

/// Between two rests of an agent, and how long one is, in milliseconds.
const AT_WORK: std::ops::Range<u64> = 60_000..300_000;
const AT_REST: std::ops::Range<u64> = 20_000..90_000;

const REASONS: [&str; 5] = ["Lunch", "Coffee", "Training", "הפסקה", "Paperwork"];

const CALLERS: [(&str, &str); 10] = [
    ("0501234567", "Sample Caller"),
    ("0521112233", "נועה פרץ"),
    ("+442071838750", "Oliver Smith"),
    ("+33142685300", "Chloé Dubois"),
    ("+4930901820", "Jürgen Weiß"),
    ("0547654321", "أحمد خليل"),
    ("+74957556983", "Ольга Смирнова"),
    ("+81332110111", "佐藤 花子"),
    ("", ""),
    ("036123456", ""),
];

/// Plans the first call of each source, and the first rests.
pub(super) fn begin(pbx: &mut Pbx) {
    for source in 0..pbx.habits.arrivals.len() {
        // Soon: an empty panel is no demonstration.
        let first = Duration::from_millis(pbx.random.u64(500..4_000));
        pbx.plan(first, Due::Arrival(source));
    }
    for agent in 0..pbx.habits.resting.len() {
        let first = pick(&mut pbx.random, &(5_000..AT_WORK.end));
        pbx.plan(first, Due::Break(agent));
    }
}

/// Someone calls, and the next one is planned.
pub(super) fn arrive(pbx: &mut Pbx, source: usize) {
    let Some((queue, between)) = pbx.habits.arrivals.get(source).cloned() else {
        return;
    };
    let next = pick(&mut pbx.random, &between);
    pbx.plan(next, Due::Arrival(source));
    let (number, name) = CALLERS[pbx.random.usize(..CALLERS.len())];
    let patience = pick(&mut pbx.random, &pbx.habits.patience.clone());
    pbx.channels += 1;
    let id = format!("{}.{}", pbx.unix(), pbx.channels);
    let channel = Channel {
        name: format!("PJSIP/trunk-{:08x}", pbx.channels),
        linked_id: id.clone(),
        id,
        number: number.to_owned(),
        caller_name: name.to_owned(),
        connected: None,
        context: "callers".to_owned(),
        extension: queue.to_owned(),
        priority: 4,
        state: 6,
    };
    pbx.join(queue, channel, patience);
}

/// An agent who is not in a pause already has a rest in every queue.
pub(super) fn take_break(pbx: &mut Pbx, agent: usize) {
    let Some(interface) = pbx.habits.resting.get(agent).cloned() else {
        return;
    };
    let reason = REASONS[pbx.random.usize(..REASONS.len())];
    let length = pick(&mut pbx.random, &AT_REST);
    let paused = pbx.queues.iter_mut().any(|queue| {
        let member = queue.member(&interface);
        member.is_some_and(|member| member.paused)
    });
    let mut since = 0;
    if !paused && pbx.pause(None, &interface, true, reason).is_ok() {
        since = pbx.unix();
    }
    pbx.plan(length, Due::Back { agent, since });
}

/// The rest is over, unless someone else has ended or replaced it.
pub(super) fn come_back(pbx: &mut Pbx, agent: usize, since: u64) {
    let Some(interface) = pbx.habits.resting.get(agent).cloned() else {
        return;
    };
    let resting = pbx.queues.iter_mut().any(|queue| {
        let member = queue.member(&interface);
        member.is_some_and(|member| member.paused && member.last_pause == since)
    });
    if resting {
        // It is a member, as just seen.
        let _ = pbx.pause(None, &interface, false, "");
    }
    let next = pick(&mut pbx.random, &AT_WORK);
    pbx.plan(next, Due::Break(agent));
}

impl Pbx {
    /// `channel originate Local/QUEUE@callers`, of the sample dialplan.
    pub(super) fn call(&mut self, queue: &str) {
        let (first, second) = (self.channels, self.channels + 1);
        self.channels += 2;
        let local = self.next_local();
        let channel = Channel {
            name: format!("Local/{queue}@callers-{local:08x};2"),
            id: format!("{}.{second}", self.unix()),
            linked_id: format!("{}.{first}", self.unix()),
            number: "0501234567".to_owned(),
            caller_name: "Sample Caller".to_owned(),
            connected: None,
            context: "callers".to_owned(),
            extension: queue.to_owned(),
            priority: 4,
            state: 6,
        };
        let patience = pick(&mut self.random, &self.habits.patience.clone());
        self.join(queue, channel, patience);
    }

    /// `channel request hangup all`.
    pub(super) fn hang_up_all(&mut self) {
        let calls: Vec<u64> = self.calls.keys().copied().collect();
        for call in calls {
            self.hang_up(call, "caller");
        }
    }

    /// The agent's end of a call.
    pub(super) fn agent_channel(&mut self, interface: &str, call: &Call) -> Channel {
        let number = self.channels;
        let caller = &call.channel;
        let (technology, address) = interface.split_once('/').unwrap_or(("", interface));
        let is_local = technology.eq_ignore_ascii_case("local");
        let context = address.split_once('@').map_or("from-internal", |(_, c)| c);
        let connected = (caller.number.clone(), caller.caller_name.clone());
        let mut channel = Channel {
            name: String::new(),
            id: format!("{}.{number}", self.unix()),
            linked_id: caller.linked_id.clone(),
            number: call.queue.clone(),
            caller_name: String::new(),
            connected: Some(connected),
            context: context.to_owned(),
            extension: call.queue.clone(),
            priority: 1,
            state: 0,
        };
        // A Local channel has two ends.
        self.channels += if is_local { 2 } else { 1 };
        channel.name = if is_local {
            format!("{interface}-{:08x};1", self.next_local())
        } else {
            format!("{interface}-{number:08x}")
        };
        channel
    }

    fn next_local(&mut self) -> u64 {
        self.locals += 1;
        self.locals - 1
    }
}
