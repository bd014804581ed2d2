//! Tests of how time changes a member.

use super::*;
use crate::queues::timing::testing::test_rules;
use crate::queues::{PbxTime, QueueName};

fn after_call() -> Member {
    Member {
        last_call: PbxTime::reported(1000),
        ..Member::for_test()
    }
}

fn paused(reason: &str) -> Member {
    Member {
        last_pause: PbxTime::reported(1000),
        paused: true,
        paused_reason: reason.into(),
        ..Member::for_test()
    }
}

#[test]
fn member_is_in_wrap_up_until_the_wrap_up_time_has_passed() {
    let rules = test_rules();
    let own = Member {
        wrapup_seconds: 3,
        ..after_call()
    };
    let mut shared = after_call();
    shared.observed.call_queues = Some([QueueName::for_test("support")].into());
    let mut unclear = after_call();
    let queues = ["sales", "support"].map(QueueName::for_test);
    unclear.observed.call_queues = Some(queues.into());
    for (case, member, queue, end) in [
        ("the queue's", after_call(), "sales", Some(1_010_000)),
        ("none", after_call(), "other", None),
        ("no call", Member::for_test(), "sales", None),
        ("the member's own", own, "sales", Some(1_003_000)),
        ("the call's queue", shared, "sales", Some(1_020_000)),
        ("the longest", unclear, "other", Some(1_020_000)),
    ] {
        let timing = |now| MemberTiming::of(&member, queue, &rules, now);
        let Some(end) = end else {
            assert_eq!(timing(1_000_000).state, MemberState::Available, "{case}");
            continue;
        };
        let last = timing(end - 1);
        assert_eq!(last.state, MemberState::WrapUp, "{case}");
        assert_eq!(last.wrap_up_ends_at, Some(end), "{case}");
        assert_eq!(last.state_since, Some(1_000_000), "{case}");
        let next = next_display_change(&member, queue, &rules, end - 1);
        assert_eq!(next, Some(end), "{case}");
        let over = timing(end);
        assert_eq!(over.state, MemberState::Available, "{case}");
        assert_eq!(over.wrap_up_ends_at, None, "{case}");
        assert_eq!(over.state_since, Some(end), "{case}");
        assert_eq!(next_display_change(&member, queue, &rules, end), None);
    }
}

#[test]
fn wrap_up_is_shown_only_for_a_member_who_is_otherwise_available() {
    let rules = test_rules();
    let member = Member {
        paused: true,
        ..after_call()
    };
    let timing = MemberTiming::of(&member, "sales", &rules, 1_001_000);
    assert_eq!(timing.state, MemberState::Paused);
    assert_eq!(timing.wrap_up_ends_at, None);
}

#[test]
fn pause_is_overdue_from_its_limit_on() {
    let rules = test_rules();
    for (member, limit, end) in [
        (paused("break"), Some(1_030_000), None),
        (paused("LUNCH"), Some(1_060_000), Some(1_060_000)),
        (paused("Office"), None, None),
        (paused("Phone"), None, None),
        (paused(""), None, None),
    ] {
        let timing = |now| MemberTiming::of(&member, "sales", &rules, now);
        let reason = &member.paused_reason;
        assert_eq!(timing(0).pause_limit_at, limit, "{reason}");
        assert_eq!(timing(0).pause_ends_at, end, "{reason}");
        assert_eq!(timing(0).state_since, Some(1_000_000), "{reason}");
        if let Some(limit) = limit {
            assert!(!timing(limit - 1).pause_overdue, "{reason}");
            assert!(timing(limit).pause_overdue, "{reason}");
            let next = next_display_change(&member, "sales", &rules, 0);
            assert_eq!(next, Some(limit), "{reason}");
        }
    }
}

#[test]
fn pause_that_ends_at_its_limit_is_overdue_only_after_its_end() {
    let rules = test_rules();
    for (promised, overdue_at) in [(1_060_900, 1_060_900), (1_061_000, 1_060_000)] {
        let mut member = paused("Lunch");
        member.observed.pause_end = Some(promised);
        let is_overdue = |now| MemberTiming::of(&member, "sales", &rules, now).pause_overdue;
        assert!(
            !is_overdue(overdue_at - 1) && is_overdue(overdue_at),
            "{promised}"
        );
        let next = next_display_change(&member, "sales", &rules, 0);
        assert_eq!(next, Some(overdue_at));
    }
}

#[test]
fn promised_end_has_precedence_and_agents_of_others_are_left_alone() {
    let rules = test_rules();
    let end_of = |member| MemberTiming::of(&member, "sales", &rules, 0).pause_ends_at;
    let mut promised = paused("Lunch");
    promised.observed.pause_end = Some(5);
    assert_eq!(end_of(promised.clone()), Some(5));
    promised.paused = false;
    assert_eq!(end_of(promised), None);
    let foreign = Member {
        interface: "Local/1001@other".into(),
        ..paused("Lunch")
    };
    assert_eq!(end_of(foreign), None);
}

#[test]
fn missed_call_pauses_automatically() {
    let rules = test_rules();
    for (reason, is_auto) in [("Auto-Pause", true), ("auto-pause", false), ("", false)] {
        let timing = MemberTiming::of(&paused(reason), "sales", &rules, 0);
        assert_eq!(timing.auto_paused, is_auto, "{reason}");
    }
}
