//! Checks random histories of [`Pending`] against a model.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::ami::testing::{header, member};

mod caller;
mod model;
use model::Model;

const UNAVAILABLE: Failure = Failure::Unavailable {
    retry_after: Duration::from_secs(1),
};

/// A step of a random history.
#[derive(Debug, Clone)]
enum Op {
    /// A caller requests a read.
    Read { queue: u8, seconds: u64 },
    /// A caller requests a change.
    Change { seconds: u64 },
    /// The session sends the next action.
    Send,
    /// Asterisk sends a message for one of the unanswered actions.
    Reply { pick: Index, kind: MessageKind },
    /// Asterisk sends a message with a random ActionID, which may belong to a queued action,
    /// to an answered action or to no action.
    Receive { id: u64, kind: MessageKind },
    /// Time passes, and the session enforces deadlines.
    Wait { seconds: u64 },
    /// Time passes, but the session does not enforce deadlines.
    Pass { seconds: u64 },
    /// A caller drops its receiver.
    GiveUp { caller: usize },
    /// The session fails every queued action.
    FailQueued,
}

/// A message that is part of a reply.
#[derive(Debug, Clone, Copy, PartialEq)]
enum MessageKind {
    Response,
    ListStart,
    Row,
    ListEnd,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0u8..2, 1u64..20).prop_map(|(queue, seconds)| Op::Read { queue, seconds }),
        2 => (1u64..20).prop_map(|seconds| Op::Change { seconds }),
        5 => Just(Op::Send),
        9 => (any::<Index>(), kind()).prop_map(|(pick, kind)| Op::Reply { pick, kind }),
        2 => (0u64..20, kind()).prop_map(|(id, kind)| Op::Receive { id, kind }),
        2 => (0u64..8).prop_map(|seconds| Op::Wait { seconds }),
        1 => (0u64..8).prop_map(|seconds| Op::Pass { seconds }),
        1 => (0usize..20).prop_map(|caller| Op::GiveUp { caller }),
        1 => Just(Op::FailQueued),
    ]
}

fn kind() -> impl Strategy<Value = MessageKind> {
    use MessageKind::*;
    prop::sample::select(vec![Response, ListStart, ListStart, Row, Row, ListEnd])
}

fn read(queue: u8) -> Action {
    Action::QueueStatus {
        queue: Some(header(&format!("600{queue}"))),
        member: None,
    }
}

/// Returns a change that is different for each `number`.
fn change(number: usize) -> Action {
    Action::QueueRemove {
        queue: header("6001"),
        interface: member(&format!("PJSIP/{number}")),
    }
}

fn message(id: u64, kind: MessageKind, number: u64) -> Message {
    let header = match kind {
        MessageKind::Response => "Response: Success",
        MessageKind::ListStart => "Response: Success\r\nEventList: start",
        MessageKind::Row => "Event: QueueMember",
        MessageKind::ListEnd => "Event: QueueStatusComplete\r\nEventList: Complete",
    };
    Message::parse(format!("{header}\r\nActionID: {id}\r\nNumber: {number}\r\n").into())
}

fn number_of(message: &Message) -> u64 {
    let number = message.text("Number").expect("a number");
    number.parse().expect("a number")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn every_caller_gets_its_own_result_and_nothing_leaks(
        ops in prop::collection::vec(op(), 1..60),
        ending in prop::option::of(0u64..40),
    ) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op);
            model.check();
        }
        match ending {
            Some(unwritten) => model.close(unwritten),
            None => model.answer_all(),
        }
    }
}

#[test]
fn list_without_waiting_callers_is_not_joined() {
    let mut model = Model::new();
    model.apply(Op::Read {
        queue: 0,
        seconds: 1,
    });
    model.apply(Op::Send);
    for kind in [MessageKind::ListStart, MessageKind::Row] {
        model.apply(Op::Receive { id: 1, kind });
    }
    model.apply(Op::Wait { seconds: 1 });
    model.apply(Op::Receive {
        id: 1,
        kind: MessageKind::Row,
    });
    model.apply(Op::Read {
        queue: 0,
        seconds: 1,
    });
    model.check();
    model.apply(Op::Send);
    model.answer_all();
}
