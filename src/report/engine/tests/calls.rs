//! Calls and the wrap-up times after them.

use super::*;

#[test]
fn calls_count_where_they_end_and_wrap_up_ends_early() {
    let days = one_day();
    let at = days.start() + 1000;
    let call = |ended: i64, talk, wrap_up| Entry {
        value: wrap_up,
        ..row(EntryKind::Call, 0, 0, at + ended, talk)
    };
    let pause = row(EntryKind::Pause, 0, 0, at + 300, 100);
    let rows = [
        row(EntryKind::Login, 0, 0, at, 510),
        call(100, 50, 15),
        // The next call begins 5 s after this call.
        call(200, 10, 15),
        call(215, 10, 15),
        // A pause begins after 3 s, and then one stands already.
        call(297, 10, 15),
        call(350, 10, 15),
        // The member leaves after 10 s.
        call(500, 10, 15),
        pause,
        row(EntryKind::Missed, 0, 0, at + 60, 0),
    ];
    let agent = only(compute(&rows, &days, &[GroupKey::Agent]));
    assert_eq!((agent.calls_taken, agent.talk_seconds), (6, 100));
    assert_eq!(agent.wrap_up_seconds, 15 + 5 + 15 + 3 + 10);
    assert_eq!(agent.missed_calls, 1);
}

#[test]
fn wrap_up_does_not_count_during_another_call() {
    let days = one_day();
    let at = days.start() + 1000;
    let call = |queue, ended: i64, talk| Entry {
        value: 15,
        ..row(EntryKind::Call, 0, queue, at + ended, talk)
    };
    let rows = [
        row(EntryKind::Login, 0, 0, at, 1000),
        row(EntryKind::Login, 0, 1, at, 1000),
        // The second call begins before the first one ends, and ends 60 s after it.
        call(0, 100, 50),
        call(0, 160, 100),
        // Two calls end in the same second.
        call(0, 300, 50),
        call(0, 300, 20),
        // The agent takes a call of another queue, and ends that of this queue first.
        call(1, 400, 20),
        call(0, 410, 20),
    ];
    let agent = only(compute(&rows, &days, &[GroupKey::Agent]));
    assert_eq!(agent.wrap_up_seconds, 15 + 15 + 15);
}
