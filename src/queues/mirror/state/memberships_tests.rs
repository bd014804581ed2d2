//! Property tests of the index of memberships with random histories of several queues.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::overlay::EVENT_TIMEOUT;
use super::*;
use crate::ami::value::{HeaderValue, MemberValue};
use crate::ami::{Action, Message, Reply};
use crate::queues::queries::NOBODY;

/// Queue names, each with a second spelling.
const QUEUES: [[&str; 2]; 3] = [
    ["sales", "Sales"],
    ["support", "SUPPORT"],
    ["night", "night"],
];
/// Interfaces, each with a second spelling.
const INTERFACES: [[&str; 2]; 3] = [
    ["PJSIP/1001", "pjsip/1001"],
    ["PJSIP/1002", "PJSIP/1002"],
    ["Local/1003@agents", "LOCAL/1003@AGENTS"],
];

/// A spelling of a queue, and the members that Asterisk lists, each with a penalty.
type Listed = (usize, usize, Vec<(usize, usize, i64)>);

/// Anything that can change the members in the mirror.
#[derive(Debug, Clone)]
enum Op {
    /// A list of one queue.
    List(Listed, bool),
    /// A list of all queues, with or without members.
    ListAll(Vec<Listed>, bool, bool),
    /// The row of one member.
    ListMember(Listed, usize),
    Event(&'static str, [usize; 2], [usize; 2], i64),
    /// A change of the bridge that Asterisk acknowledges.
    Pause([usize; 2], [usize; 2], bool),
    Add([usize; 2], [usize; 2]),
    Remove([usize; 2], [usize; 2]),
    /// The bridge's clock is set.
    ShiftTimes(i64),
    NewLink,
    Wait,
}

fn listed() -> impl Strategy<Value = Listed> {
    let member = (0..INTERFACES.len(), 0..2usize, 0i64..3);
    let members = prop::collection::vec(member, 0..4).prop_map(|mut members| {
        members.sort();
        members.dedup_by_key(|(interface, ..)| *interface);
        members
    });
    (0..QUEUES.len(), 0..2usize, members)
}

fn op() -> impl Strategy<Value = Op> {
    let queue = || [0..QUEUES.len(), 0..2usize];
    let interface = || [0..INTERFACES.len(), 0..2usize];
    let events = prop::sample::select(vec![
        "QueueMemberAdded",
        "QueueMemberRemoved",
        "QueueMemberPause",
        "QueueMemberStatus",
    ]);
    let all = prop::collection::vec(listed(), 0..4).prop_map(|mut all| {
        all.sort();
        all.dedup_by_key(|(queue, ..)| *queue);
        all
    });
    prop_oneof![
        4 => (listed(), any::<bool>()).prop_map(|(queue, complete)| Op::List(queue, complete)),
        2 => (all, any::<bool>(), any::<bool>())
            .prop_map(|(all, members, complete)| Op::ListAll(all, members, complete)),
        2 => (listed(), 0..INTERFACES.len()).prop_map(|(queue, member)| Op::ListMember(queue, member)),
        6 => (events, queue(), interface(), 0i64..3)
            .prop_map(|(event, queue, interface, penalty)| Op::Event(event, queue, interface, penalty)),
        2 => (queue(), interface(), any::<bool>())
            .prop_map(|(queue, interface, paused)| Op::Pause(queue, interface, paused)),
        2 => (queue(), interface()).prop_map(|(queue, interface)| Op::Add(queue, interface)),
        2 => (queue(), interface()).prop_map(|(queue, interface)| Op::Remove(queue, interface)),
        1 => (-5i64..5).prop_map(Op::ShiftTimes),
        1 => Just(Op::NewLink),
        1 => Just(Op::Wait),
    ]
}

fn queue_name([queue, spelling]: [usize; 2]) -> &'static str {
    QUEUES[queue][spelling]
}

fn interface([interface, spelling]: [usize; 2]) -> &'static str {
    INTERFACES[interface][spelling]
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

fn rows((queue, spelling, members): &Listed, is_shown: impl Fn(usize) -> bool) -> Vec<Message> {
    let queue = queue_name([*queue, *spelling]);
    let mut rows = vec![message(&format!(
        "Event: QueueParams\r\nQueue: {queue}\r\n"
    ))];
    for (member, spelling, penalty) in members {
        if is_shown(*member) {
            let interface = interface([*member, *spelling]);
            rows.push(message(&format!(
                "Event: QueueMember\r\nQueue: {queue}\r\nName: Dana\r\nLocation: {interface}\r\n\
                 Penalty: {penalty}\r\nStatus: 1\r\nPaused: 0\r\n"
            )));
        }
    }
    rows
}

struct Harness {
    mirror: Mirror,
    now: Now,
}

impl Harness {
    fn new() -> Self {
        let at = Instant::now();
        let wall = Duration::from_secs(1_800_000_000);
        let mut mirror = Mirror::new(Arc::default(), at);
        mirror.link_established(at);
        Self {
            mirror,
            now: Now { at, wall },
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::List(listed, is_complete) => {
                let queue = queue_name([listed.0, listed.1]);
                self.list(Some(queue), None, rows(listed, |_| true), *is_complete);
            }
            Op::ListAll(all, with_members, is_complete) => {
                let rows = all.iter().flat_map(|queue| rows(queue, |_| *with_members));
                let member = (!with_members).then_some(NOBODY);
                self.list(None, member, rows.collect(), *is_complete);
                self.mirror.loading_finished(self.now);
            }
            Op::ListMember(listed, member) => {
                let queue = queue_name([listed.0, listed.1]);
                let shown = rows(listed, |listed| listed == *member);
                self.list(Some(queue), Some(INTERFACES[*member][0]), shown, true);
            }
            Op::Event(event, queue, member, penalty) => {
                let (queue, interface) = (queue_name(*queue), interface(*member));
                let text = format!(
                    "Event: {event}\r\nQueue: {queue}\r\nMemberName: Dana\r\n\
                     Interface: {interface}\r\nPenalty: {penalty}\r\nStatus: 1\r\nPaused: 1\r\n"
                );
                let event = Event::of(&message(&text));
                self.mirror.event_received(event, self.now);
            }
            Op::Pause(queue, member, paused) => self.acknowledge(&Action::QueuePause {
                queue: header(queue_name(*queue)),
                interface: value(interface(*member)),
                paused: *paused,
                reason: None,
            }),
            Op::Add(queue, member) => self.acknowledge(&Action::QueueAdd {
                queue: header(queue_name(*queue)),
                interface: value(interface(*member)),
                name: value("Dana"),
                state_interface: None,
                penalty: 0,
                paused: false,
                reason: None,
            }),
            Op::Remove(queue, member) => self.acknowledge(&Action::QueueRemove {
                queue: header(queue_name(*queue)),
                interface: value(interface(*member)),
            }),
            Op::ShiftTimes(seconds) => self.mirror.shift_times(*seconds, self.now),
            Op::NewLink => {
                self.mirror.link_lost();
                self.mirror.link_established(self.now.at);
            }
            Op::Wait => {
                self.now.at += EVENT_TIMEOUT;
                self.now.wall += EVENT_TIMEOUT;
                self.mirror.tick(self.now);
            }
        }
    }

    fn list(
        &mut self,
        queue: Option<&str>,
        member: Option<&str>,
        rows: Vec<Message>,
        is_complete: bool,
    ) {
        let action = Action::QueueStatus {
            queue: queue.map(header),
            member: member.map(header),
        };
        self.reply(&action, rows, is_complete);
    }

    fn acknowledge(&mut self, action: &Action) {
        self.reply(action, Vec::new(), true);
    }

    fn reply(&mut self, action: &Action, rows: Vec<Message>, is_complete: bool) {
        let reply = Reply {
            is_complete,
            response: message("Response: Success\r\n"),
            rows,
            sent_at: self.now.at,
        };
        self.mirror.reply_received(action, &reply, self.now);
    }

    /// Returns all memberships by walking through all queues.
    fn walk(&self) -> BTreeMap<(String, String), Arc<Member>> {
        let queues = self.mirror.queues();
        let members = queues.flat_map(|queue| {
            let members = queue.queue().members.iter();
            members.map(|member| (key(&queue.name, &member.interface), Arc::clone(member)))
        });
        members.collect()
    }

    /// Returns all memberships in the index.
    fn indexed(&self) -> BTreeMap<(String, String), Arc<Member>> {
        let interfaces = INTERFACES.iter().map(|[interface, _]| *interface);
        let members = interfaces.flat_map(|interface| {
            let members = self.mirror.memberships.of(interface).iter();
            members.map(move |known| (key(&known.queue, interface), Arc::clone(&known.member)))
        });
        members.collect()
    }
}

fn key(queue: &str, interface: &str) -> (String, String) {
    (queue.to_ascii_lowercase(), interface.to_ascii_lowercase())
}

proptest! {
    #[test]
    fn index_equals_a_walk_over_all_members_after_any_changes(ops in prop::collection::vec(op(), 1..80)) {
        let mut harness = Harness::new();
        for op in &ops {
            harness.apply(op);
            let walked = harness.walk();
            prop_assert_eq!(harness.mirror.count_memberships(), walked.len());
            prop_assert_eq!(harness.indexed(), walked);
        }
    }
}
