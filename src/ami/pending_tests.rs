//! Random histories of the table, held against a model.

use proptest::prelude::*;
use proptest::sample::Index;

#[path = "pending_model.rs"]
mod model;
use model::Model;

/// What can happen to the table.
#[derive(Debug, Clone)]
enum Op {
    Read {
        queue: u8,
        seconds: u64,
    },
    Write {
        seconds: u64,
    },
    Send,
    /// To an action that is not answered yet.
    Reply {
        pick: Index,
        kind: Kind,
    },
    /// Whatever the id is of: the unsent, the answered, nothing.
    Receive {
        id: u64,
        kind: Kind,
    },
    /// Time passes, and the deadlines are looked at.
    Wait {
        seconds: u64,
    },
    /// Time passes.
    Pass {
        seconds: u64,
    },
    GiveUp {
        asker: usize,
    },
    RefuseUnsent,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Response,
    ListStart,
    Row,
    ListEnd,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0u8..2, 1u64..20).prop_map(|(queue, seconds)| Op::Read { queue, seconds }),
        2 => (1u64..20).prop_map(|seconds| Op::Write { seconds }),
        5 => Just(Op::Send),
        9 => (any::<Index>(), kind()).prop_map(|(pick, kind)| Op::Reply { pick, kind }),
        2 => (0u64..20, kind()).prop_map(|(id, kind)| Op::Receive { id, kind }),
        2 => (0u64..8).prop_map(|seconds| Op::Wait { seconds }),
        1 => (0u64..8).prop_map(|seconds| Op::Pass { seconds }),
        1 => (0usize..20).prop_map(|asker| Op::GiveUp { asker }),
        1 => Just(Op::RefuseUnsent),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    use Kind::*;
    prop::sample::select(vec![Response, ListStart, ListStart, Row, Row, ListEnd])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn everyone_gets_the_reply_that_is_theirs_and_nothing_leaks(
        ops in prop::collection::vec(op(), 1..60),
        ending in prop::option::of(0u64..40),
    ) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op);
            model.check();
        }
        match ending {
            Some(left) => model.close(left),
            None => model.answer_all(),
        }
    }
}

#[test]
fn a_list_whose_askers_have_given_up_is_not_joined() {
    let mut model = Model::new();
    model.apply(Op::Read {
        queue: 0,
        seconds: 1,
    });
    model.apply(Op::Send);
    for kind in [Kind::ListStart, Kind::Row] {
        model.apply(Op::Receive { id: 1, kind });
    }
    model.apply(Op::Wait { seconds: 1 });
    model.apply(Op::Receive {
        id: 1,
        kind: Kind::Row,
    });
    model.apply(Op::Read {
        queue: 0,
        seconds: 1,
    });
    model.check();
    model.apply(Op::Send);
    model.answer_all();
}
