//! Random histories of a queue, told to the mirror as Asterisk would: answers at
//! once, events late, and some changes by nothing at all.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::ami::value::{HeaderValue, MemberValue};
use crate::ami::{Action, Message, Reply};
use crate::queues::mirror::event::Event;
use crate::queues::mirror::overlay::EVENT_WAIT;

/// What can happen. Members below [`OWN`] are paused, added and removed by the
/// bridge only, so that it can be said what must be seen after its changes.
#[derive(Debug, Clone)]
enum Op {
    /// The bridge's own change of a member: its answer is there at once.
    Own(usize, Kind),
    /// Someone else's, with an event.
    Other(usize, Kind),
    /// A penalty, by someone else, with an event.
    Penalty(usize, i64),
    /// A penalty that is in no event, as after a reload.
    Silent(usize, i64),
    /// So many events come.
    Events(usize),
    /// A list of the queue comes.
    List,
    /// A list of one member comes.
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

#[derive(Debug, Clone, PartialEq)]
struct Shown {
    paused: bool,
    reason: String,
    penalty: i64,
}

/// A queue as Asterisk would keep it, and what it has not told yet.
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
                let answer = format!("Response: {}\r\n", if done { "Success" } else { "Error" });
                self.answer(&action, &answer, Vec::new());
                if done && matches!(kind, Kind::Add) {
                    // Nobody is told before the member's row has come.
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
                    self.apply_report("QueueMemberPenalty", *member);
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
                    let event = Event::of(&message(&event)).expect("known");
                    self.mirror.event(event, self.now);
                    self.assert_own_is_shown();
                }
            }
            Op::List => self.list(None),
            Op::ListMember(member) => self.list(Some(interface(*member))),
            Op::Wait => {
                // Events are late, and not so late.
                self.apply(&Op::Events(self.events.len()));
                self.wait();
            }
        }
    }

    fn wait(&mut self) {
        self.now.at += EVENT_WAIT / 2;
        self.now.wall += EVENT_WAIT / 2;
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

    /// Makes a change, as Asterisk does; returns whether it was possible.
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
                *shown = Some(Shown {
                    paused: false,
                    reason: String::new(),
                    penalty: 0,
                });
                "QueueMemberAdded"
            }
            (Kind::Remove, Some(_)) => {
                // It carries the member as it was.
                self.apply_report("QueueMemberRemoved", member);
                self.members[member] = None;
                return true;
            }
            _ => return false,
        };
        self.apply_report(event, member);
        true
    }

    fn apply_report(&mut self, event: &str, member: usize) {
        let body = self.body(member, "Interface", "MemberName");
        self.events.push_back(format!("Event: {event}\r\n{body}"));
    }

    fn body(&self, member: usize, interface_name: &str, name: &str) -> String {
        let shown = self.members[member].as_ref().expect("there");
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
            let is_meant = member
                .as_ref()
                .is_none_or(|member| *member == interface(number));
            if self.members[number].is_some() && is_meant {
                let body = self.body(number, "Location", "Name");
                rows.push(message(&format!("Event: QueueMember\r\n{body}")));
            }
        }
        let action = Action::QueueStatus {
            queue: Some(header(QUEUE)),
            member: member.map(|member| header(&member)),
        };
        self.answer(&action, "Response: Success\r\n", rows);
        self.assert_own_is_shown();
    }

    fn answer(&mut self, action: &Action, response: &str, rows: Vec<Message>) {
        let answer = Reply {
            is_complete: true,
            response: message(response),
            rows,
            sent_at: self.now.at,
        };
        self.mirror.answered(action, &answer, self.now);
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

    /// What the bridge was told to be done is seen, whatever events are late.
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
        let entry = self.mirror.queue(QUEUE).expect("there");
        assert_eq!(
            entry.overdue(self.now.at + EVENT_WAIT).count(),
            0,
            "nothing is laid over"
        );
    }
}

proptest! {
    #[test]
    fn own_changes_are_seen_and_all_is_true_in_the_end(ops in prop::collection::vec(op(), 1..120)) {
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

    /// A member with a broken name has no events at all.
    #[test]
    fn changes_without_events_are_true_in_the_end(ops in prop::collection::vec(op(), 1..60)) {
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
        let entry = bench.mirror.queue(QUEUE).expect("there");
        prop_assert_eq!(entry.overdue(bench.now.at + EVENT_WAIT).count(), 0);
    }
}
