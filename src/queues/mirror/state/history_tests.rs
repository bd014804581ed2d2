//! Random histories of a queue, reported as Asterisk does it: replies at once, events late,
//! and some changes not at all.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::overlay::EVENT_TIMEOUT;
use super::*;
use crate::ami::value::{HeaderValue, MemberValue};
use crate::ami::{Action, Message, Reply};

/// What can happen. Only the bridge pauses, adds and removes members below [`OWN`], so that
/// the test knows what readers must see after the bridge's changes.
#[derive(Debug, Clone)]
enum Op {
    /// The bridge changes a member. The reply arrives at once.
    Own(usize, Kind),
    /// Someone else changes a member, and an event reports it.
    Other(usize, Kind),
    /// Someone else sets a penalty, and an event reports it.
    Penalty(usize, i64),
    /// A penalty changes without an event, as after a reload.
    Silent(usize, i64),
    /// This many events arrive.
    Events(usize),
    /// A list of the queue arrives.
    List,
    /// A list of one member arrives.
    ListMember(usize),
    /// Time passes.
    Wait,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Pause,
    Unpause,
    Add,
    Remove,
}

const MEMBERS: usize = 4;
const OWN: usize = 2;

fn op() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![
        4 => Just(Kind::Pause),
        4 => Just(Kind::Unpause),
        2 => Just(Kind::Add),
        1 => Just(Kind::Remove),
    ];
    prop_oneof![
        6 => (0..OWN, kind.clone()).prop_map(|(member, kind)| Op::Own(member, kind)),
        3 => (OWN..MEMBERS, kind).prop_map(|(member, kind)| Op::Other(member, kind)),
        2 => (0..MEMBERS, 0i64..9).prop_map(|(member, penalty)| Op::Penalty(member, penalty)),
        1 => (0..MEMBERS, 0i64..9).prop_map(|(member, penalty)| Op::Silent(member, penalty)),
        6 => (1usize..6).prop_map(Op::Events),
        1 => Just(Op::List),
        1 => (0..MEMBERS).prop_map(Op::ListMember),
        1 => Just(Op::Wait),
    ]
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Shown {
    paused: bool,
    reason: String,
    penalty: i64,
}

/// The mirror beside a queue of Asterisk, whose events are not all delivered yet.
struct Bench {
    mirror: Mirror,
    members: [Option<Shown>; MEMBERS],
    events: std::collections::VecDeque<String>,
    now: Now,
    reasons: u64,
}

const QUEUE: &str = "support";

fn interface(member: usize) -> String {
    format!("PJSIP/100{member}")
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::new(text).expect("a header")
}

fn value(text: &str) -> MemberValue {
    MemberValue::new(text).expect("a value")
}

fn message(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()))
}

impl Bench {
    fn new() -> Self {
        let at = Instant::now();
        let mut bench = Self {
            mirror: Mirror::new(Arc::default(), at),
            members: [const { None }; MEMBERS],
            events: Default::default(),
            now: Now {
                at,
                wall: Duration::from_secs(1_800_000_000),
            },
            reasons: 0,
        };
        bench.mirror.link_made(at);
        bench.list(None);
        bench.mirror.loading_finished(bench.now);
        bench
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Own(member, kind) => {
                let action = self.action(*member, *kind);
                let done = self.change(*member, *kind);
                let reply = format!("Response: {}\r\n", if done { "Success" } else { "Error" });
                self.reply(&action, &reply, Vec::new());
                if done && matches!(kind, Kind::Add) {
                    // The bridge queries the member's row before it responds.
                    self.list(Some(interface(*member)));
                }
                self.assert_own_is_shown();
            }
            Op::Other(member, kind) => {
                self.reasons += 1;
                self.change(*member, *kind);
            }
            Op::Penalty(member, penalty) => {
                if let Some(shown) = &mut self.members[*member] {
                    shown.penalty = *penalty;
                    self.queue_event("QueueMemberPenalty", *member);
                }
            }
            Op::Silent(member, penalty) => {
                if let Some(shown) = &mut self.members[*member] {
                    shown.penalty = *penalty;
                }
            }
            Op::Events(count) => {
                for _ in 0..*count {
                    let Some(event) = self.events.pop_front() else {
                        break;
                    };
                    self.mirror
                        .event_received(Event::of(&message(&event)), self.now);
                    self.assert_own_is_shown();
                }
            }
            Op::List => self.list(None),
            Op::ListMember(member) => self.list(Some(interface(*member))),
            Op::Wait => {
                // First all events that are late.
                self.apply(&Op::Events(self.events.len()));
                self.wait();
            }
        }
    }

    fn wait(&mut self) {
        self.now.at += EVENT_TIMEOUT / 2;
        self.now.wall += EVENT_TIMEOUT / 2;
        self.mirror.tick(self.now);
    }

    fn action(&mut self, member: usize, kind: Kind) -> Action {
        self.reasons += 1;
        let (queue, interface) = (header(QUEUE), value(&interface(member)));
        match kind {
            Kind::Pause => Action::QueuePause {
                queue,
                interface,
                paused: true,
                reason: Some(value(&format!("reason {}", self.reasons))),
            },
            Kind::Unpause => Action::QueuePause {
                queue,
                interface,
                paused: false,
                reason: None,
            },
            Kind::Add => Action::QueueAdd {
                queue,
                interface,
                name: value("Dana"),
                state_interface: None,
                penalty: 0,
                paused: false,
                reason: None,
            },
            Kind::Remove => Action::QueueRemove { queue, interface },
        }
    }

    /// Changes Asterisk's queue. Returns whether the change was possible.
    fn change(&mut self, member: usize, kind: Kind) -> bool {
        let reason = format!("reason {}", self.reasons);
        let shown = &mut self.members[member];
        let event = match (kind, shown.as_mut()) {
            (Kind::Pause, Some(shown)) => {
                (shown.paused, shown.reason) = (true, reason);
                "QueueMemberPause"
            }
            (Kind::Unpause, Some(shown)) => {
                (shown.paused, shown.reason) = (false, String::new());
                "QueueMemberPause"
            }
            (Kind::Add, None) => {
                *shown = Some(Shown::default());
                "QueueMemberAdded"
            }
            (Kind::Remove, Some(_)) => {
                // The event carries the member as it was.
                self.queue_event("QueueMemberRemoved", member);
                self.members[member] = None;
                return true;
            }
            _ => return false,
        };
        self.queue_event(event, member);
        true
    }

    fn queue_event(&mut self, event: &str, member: usize) {
        let body = self.body(member, "Interface", "MemberName");
        self.events.push_back(format!("Event: {event}\r\n{body}"));
    }

    fn body(&self, member: usize, interface_name: &str, name: &str) -> String {
        let shown = self.members[member].as_ref().expect("the queue exists");
        let interface = interface(member);
        format!(
            "Queue: {QUEUE}\r\n{name}: Dana\r\n{interface_name}: {interface}\r\n\
             StateInterface: {interface}\r\nMembership: dynamic\r\nPenalty: {}\r\nStatus: 1\r\n\
             Paused: {}\r\nPausedReason: {}\r\n",
            shown.penalty,
            u8::from(shown.paused),
            shown.reason
        )
    }

    fn list(&mut self, member: Option<String>) {
        let mut rows = vec![message(&format!(
            "Event: QueueParams\r\nQueue: {QUEUE}\r\n"
        ))];
        for number in 0..MEMBERS {
            let is_listed = member
                .as_ref()
                .is_none_or(|member| *member == interface(number));
            if self.members[number].is_some() && is_listed {
                let body = self.body(number, "Location", "Name");
                rows.push(message(&format!("Event: QueueMember\r\n{body}")));
            }
        }
        let action = Action::QueueStatus {
            queue: Some(header(QUEUE)),
            member: member.map(|member| header(&member)),
        };
        self.reply(&action, "Response: Success\r\n", rows);
        self.assert_own_is_shown();
    }

    fn reply(&mut self, action: &Action, response: &str, rows: Vec<Message>) {
        let reply = Reply {
            is_complete: true,
            response: message(response),
            rows,
            sent_at: self.now.at,
        };
        self.mirror.reply_received(action, &reply, self.now);
    }

    fn shown(&self, member: usize) -> Option<Shown> {
        let queue = self.mirror.queue(QUEUE)?.queue();
        let member = queue.member(&interface(member))?;
        Some(Shown {
            paused: member.paused,
            reason: member.paused_reason.to_string(),
            penalty: member.penalty,
        })
    }

    /// Readers see every change of the bridge, however late the events are.
    fn assert_own_is_shown(&self) {
        for number in 0..OWN {
            let pause = |shown: Option<Shown>| shown.map(|shown| (shown.paused, shown.reason));
            let expected = pause(self.members[number].clone());
            assert_eq!(pause(self.shown(number)), expected, "member {number}");
        }
    }

    fn assert_all_is_shown(&self) {
        for number in 0..MEMBERS {
            assert_eq!(self.shown(number), self.members[number], "member {number}");
        }
        assert_eq!(self.overlays_left(), 0);
    }

    fn overlays_left(&self) -> usize {
        let queue = self.mirror.queue(QUEUE).expect("the queue exists");
        queue.overdue(self.now.at + EVENT_TIMEOUT).count()
    }
}

proptest! {
    #[test]
    fn own_changes_show_at_once_and_the_mirror_is_right_in_the_end(ops in prop::collection::vec(op(), 1..120)) {
        let mut bench = Bench::new();
        let mut silent = false;
        for op in &ops {
            bench.apply(op);
            silent |= matches!(op, Op::Silent(..));
        }
        let events = bench.events.len();
        bench.apply(&Op::Events(events));
        if silent {
            bench.list(None);
        }
        bench.assert_all_is_shown();
    }

    /// A member whose name is not UTF-8 has no events at all.
    #[test]
    fn mirror_is_right_in_the_end_without_events(ops in prop::collection::vec(op(), 1..60)) {
        let mut bench = Bench::new();
        for op in &ops {
            bench.apply(op);
            bench.events.clear();
        }
        bench.wait();
        bench.wait();
        while let Some(refresh) = bench.mirror.pending.take(bench.now.at) {
            match refresh {
                Refresh::Member { interface, .. } => bench.list(Some(interface.to_string())),
                _ => bench.list(None),
            }
        }
        for number in 0..OWN {
            prop_assert_eq!(bench.shown(number).is_some(), bench.members[number].is_some());
        }
        prop_assert_eq!(bench.overlays_left(), 0);
    }
}
