//! Property tests with random histories of a queue. As on a real PBX, replies arrive immediately,
//! events arrive late, and some changes have no event.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::overlay::EVENT_TIMEOUT;
use super::*;
use crate::ami::value::{HeaderValue, MemberValue};
use crate::ami::{Action, Message, Reply};

/// A step of a history. Only the bridge pauses, adds or removes members with a number below
/// [`BRIDGE_MEMBERS`], so the test knows the expected state of these members after each step.
#[derive(Debug, Clone)]
enum Op {
    /// The bridge changes a member. The reply arrives immediately.
    BridgeChange(usize, ChangeKind),
    /// Someone else changes a member, and an event reports it.
    OutsideChange(usize, ChangeKind),
    /// Someone else sets a penalty, and an event reports it.
    Penalty(usize, i64),
    /// A penalty changes without an event, for example after a reload.
    SilentPenalty(usize, i64),
    /// This number of events arrives.
    Events(usize),
    /// A list of the queue arrives.
    List,
    /// A list of one member arrives.
    ListMember(usize),
    /// All delayed events arrive, and time passes.
    Wait,
}

#[derive(Debug, Clone, Copy)]
enum ChangeKind {
    Pause,
    Unpause,
    Add,
    Remove,
}

const MEMBERS: usize = 4;
const BRIDGE_MEMBERS: usize = 2;

fn op() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![
        4 => Just(ChangeKind::Pause),
        4 => Just(ChangeKind::Unpause),
        2 => Just(ChangeKind::Add),
        1 => Just(ChangeKind::Remove),
    ];
    prop_oneof![
        6 => (0..BRIDGE_MEMBERS, kind.clone()).prop_map(|(member, kind)| Op::BridgeChange(member, kind)),
        3 => (BRIDGE_MEMBERS..MEMBERS, kind).prop_map(|(member, kind)| Op::OutsideChange(member, kind)),
        2 => (0..MEMBERS, 0i64..9).prop_map(|(member, penalty)| Op::Penalty(member, penalty)),
        1 => (0..MEMBERS, 0i64..9).prop_map(|(member, penalty)| Op::SilentPenalty(member, penalty)),
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

/// A mirror, and the state of the mirrored queue on Asterisk with its undelivered events.
struct Harness {
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

impl Harness {
    fn new() -> Self {
        let at = Instant::now();
        let mut harness = Self {
            mirror: Mirror::new(Arc::default(), at),
            members: [const { None }; MEMBERS],
            events: Default::default(),
            now: Now {
                at,
                wall: Duration::from_secs(1_800_000_000),
            },
            reasons: 0,
        };
        harness.mirror.link_established(at);
        harness.list(None);
        harness.mirror.loading_finished(harness.now);
        harness
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::BridgeChange(member, kind) => {
                let action = self.action(*member, *kind);
                let done = self.change(*member, *kind);
                let reply = format!("Response: {}\r\n", if done { "Success" } else { "Error" });
                self.reply(&action, &reply, Vec::new());
                if done && matches!(kind, ChangeKind::Add) {
                    // The bridge queries the member's row before it responds.
                    self.list(Some(interface(*member)));
                }
                self.assert_bridge_changes_are_shown();
            }
            Op::OutsideChange(member, kind) => {
                self.reasons += 1;
                self.change(*member, *kind);
            }
            Op::Penalty(member, penalty) => {
                if let Some(shown) = &mut self.members[*member] {
                    shown.penalty = *penalty;
                    self.queue_event("QueueMemberPenalty", *member);
                }
            }
            Op::SilentPenalty(member, penalty) => {
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
                    self.assert_bridge_changes_are_shown();
                }
            }
            Op::List => self.list(None),
            Op::ListMember(member) => self.list(Some(interface(*member))),
            Op::Wait => {
                // Deliver all delayed events first.
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

    fn action(&mut self, member: usize, kind: ChangeKind) -> Action {
        self.reasons += 1;
        let (queue, interface) = (header(QUEUE), value(&interface(member)));
        match kind {
            ChangeKind::Pause => Action::QueuePause {
                queue,
                interface,
                paused: true,
                reason: Some(value(&format!("reason {}", self.reasons))),
            },
            ChangeKind::Unpause => Action::QueuePause {
                queue,
                interface,
                paused: false,
                reason: None,
            },
            ChangeKind::Add => Action::QueueAdd {
                queue,
                interface,
                name: value("Dana"),
                state_interface: None,
                penalty: 0,
                paused: false,
                reason: None,
            },
            ChangeKind::Remove => Action::QueueRemove { queue, interface },
        }
    }

    /// Changes the queue on Asterisk. Returns whether the change was possible.
    fn change(&mut self, member: usize, kind: ChangeKind) -> bool {
        let reason = format!("reason {}", self.reasons);
        let shown = &mut self.members[member];
        let event = match (kind, shown.as_mut()) {
            (ChangeKind::Pause, Some(shown)) => {
                (shown.paused, shown.reason) = (true, reason);
                "QueueMemberPause"
            }
            (ChangeKind::Unpause, Some(shown)) => {
                (shown.paused, shown.reason) = (false, String::new());
                "QueueMemberPause"
            }
            (ChangeKind::Add, None) => {
                *shown = Some(Shown::default());
                "QueueMemberAdded"
            }
            (ChangeKind::Remove, Some(_)) => {
                // The event carries the member as it was before the removal.
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
        let shown = self.members[member].as_ref().expect("a member");
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
        self.assert_bridge_changes_are_shown();
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

    /// Asserts that readers see all the bridge's changes, however late the events are.
    fn assert_bridge_changes_are_shown(&self) {
        for number in 0..BRIDGE_MEMBERS {
            let pause = |shown: Option<Shown>| shown.map(|shown| (shown.paused, shown.reason));
            let expected = pause(self.members[number].clone());
            assert_eq!(pause(self.shown(number)), expected, "member {number}");
        }
    }

    fn assert_all_members_are_shown(&self) {
        for number in 0..MEMBERS {
            assert_eq!(self.shown(number), self.members[number], "member {number}");
        }
        assert_eq!(self.count_overlays(), 0);
    }

    fn count_overlays(&self) -> usize {
        let queue = self.mirror.queue(QUEUE).expect("the mirrored queue");
        queue.overdue(self.now.at + EVENT_TIMEOUT).count()
    }
}

proptest! {
    #[test]
    fn bridge_changes_are_visible_immediately_and_the_mirror_becomes_correct(ops in prop::collection::vec(op(), 1..120)) {
        let mut harness = Harness::new();
        let mut silent = false;
        for op in &ops {
            harness.apply(op);
            silent |= matches!(op, Op::SilentPenalty(..));
        }
        let events = harness.events.len();
        harness.apply(&Op::Events(events));
        if silent {
            harness.list(None);
        }
        harness.assert_all_members_are_shown();
    }

    /// Asterisk sends no events about a member whose name is not UTF-8.
    #[test]
    fn mirror_becomes_correct_without_events(ops in prop::collection::vec(op(), 1..60)) {
        let mut harness = Harness::new();
        for op in &ops {
            harness.apply(op);
            harness.events.clear();
        }
        harness.wait();
        harness.wait();
        while let Some(refresh) = harness.mirror.pending.take(harness.now.at) {
            match refresh {
                Refresh::Member { interface, .. } => harness.list(Some(interface.to_string())),
                _ => harness.list(None),
            }
        }
        for number in 0..BRIDGE_MEMBERS {
            prop_assert_eq!(harness.shown(number).is_some(), harness.members[number].is_some());
        }
        prop_assert_eq!(harness.count_overlays(), 0);
    }
}
