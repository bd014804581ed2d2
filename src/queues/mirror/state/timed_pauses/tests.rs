//! Tests of which timed pause stands.

use std::sync::Arc;

use super::*;
use crate::queues::PbxTime;

/// The time at which the tests send their pauses, in Unix seconds.
const SENT: i64 = 1_800_000_000;

fn key() -> MemberKey {
    MemberKey::new("sales", "PJSIP/1001")
}

fn stored(id: u64, ends_at: Option<i64>) -> StoredPause {
    StoredPause {
        id,
        pbx: "main".to_owned(),
        organization: "acme".to_owned(),
        queue: "Sales".to_owned(),
        interface: "PJSIP/1001".to_owned(),
        reason: Some("Lunch".to_owned()),
        sent_at: SENT * 1000,
        ends_at,
        last_pause: None,
        user: "dana".to_owned(),
        request_id: "1".to_owned(),
    }
}

fn paused_at(last_pause: PbxTime, reason: &str) -> Member {
    Member {
        paused: true,
        paused_reason: reason.into(),
        last_pause,
        login_time: PbxTime::reported(SENT - 3600),
        ..Member::for_test()
    }
}

fn acknowledged() -> UnconfirmedChange {
    UnconfirmedChange::Pause {
        paused: true,
        reason: Arc::from("Lunch"),
        at: SENT,
    }
}

/// Sends the pause with this id, and lets Asterisk acknowledge it.
fn make(pauses: &mut TimedPauses, id: u64, ends_at: Option<i64>) {
    pauses.begin(stored(id, ends_at), SENT * 1000);
    acknowledge(pauses, &acknowledged());
    pauses.sent(&key(), id, SentOutcome::Made);
}

/// Sends the pause with this id, and lets Asterisk acknowledge it and send its event.
fn make_with_event(pauses: &mut TimedPauses, id: u64, ends_at: Option<i64>) {
    make(pauses, id, ends_at);
    pauses.pause_event(&key(), &paused_at(PbxTime::reported(SENT), "Lunch"), true);
}

fn acknowledge(pauses: &mut TimedPauses, change: &UnconfirmedChange) {
    pauses.change_acknowledged(&key(), change, SENT * 1000);
}

fn update(pauses: &mut TimedPauses, member: &Member) -> Option<i64> {
    pauses.update(&key(), Some(member), SENT * 1000)
}

#[test]
fn made_pause_stands_from_its_acknowledgment_to_another_pause() {
    let mut pauses = TimedPauses::default();
    make(&mut pauses, 1, Some(7));
    let provisional = paused_at(PbxTime::acknowledged(SENT), "Lunch");
    assert_eq!(update(&mut pauses, &provisional), Some(7));
    let reported = paused_at(PbxTime::reported(SENT), "Lunch");
    pauses.pause_event(&key(), &reported, true);
    assert_eq!(update(&mut pauses, &reported), Some(7));
    assert_eq!(
        pauses.take_storage_changes(),
        [StorageChange::SetLastPause(1, SENT)]
    );
    let other = paused_at(PbxTime::reported(SENT + 3), "Lunch");
    pauses.pause_event(&key(), &other, false);
    assert_eq!(update(&mut pauses, &other), None);
    assert_eq!(pauses.take_storage_changes(), [StorageChange::Delete(1)]);
}

#[test]
fn pause_by_someone_else_in_the_same_second_replaces_the_timed_pause() {
    let mut pauses = TimedPauses::default();
    make_with_event(&mut pauses, 1, Some(7));
    let member = paused_at(PbxTime::reported(SENT), "Lunch");
    assert_eq!(update(&mut pauses, &member), Some(7));
    pauses.pause_event(&key(), &member, false);
    assert_eq!(update(&mut pauses, &member), None);
}

#[test]
fn other_states_of_the_member_end_the_timed_pause() {
    let at = PbxTime::reported(SENT);
    let unpaused = Member {
        paused: false,
        ..paused_at(at, "Lunch")
    };
    let later = PbxTime::reported(SENT + 60);
    for member in [
        Some(unpaused),
        Some(paused_at(at, "Meeting")),
        Some(paused_at(later, "Lunch")),
        Some(paused_at(PbxTime::reported(SENT - 60), "Lunch")),
        None,
    ] {
        let mut pauses = TimedPauses::default();
        make_with_event(&mut pauses, 1, Some(7));
        assert_eq!(pauses.update(&key(), member.as_ref(), SENT * 1000), None);
        let changes = pauses.take_storage_changes();
        assert!(changes.contains(&StorageChange::Delete(1)), "{member:?}");
        assert!(!pauses.contains(&key()), "{member:?}");
    }
}

#[test]
fn older_state_of_the_member_does_not_end_the_timed_pause_before_its_event() {
    let unpaused = Member::for_test();
    let earlier = paused_at(PbxTime::reported(SENT - 60), "Lunch");
    for older in [unpaused, earlier] {
        let mut pauses = TimedPauses::default();
        make(&mut pauses, 1, Some(7));
        assert_eq!(update(&mut pauses, &older), None);
        let member = paused_at(PbxTime::reported(SENT), "Lunch");
        pauses.pause_event(&key(), &member, false);
        assert_eq!(update(&mut pauses, &member), Some(7), "{older:?}");
        // Without an event, it is forgotten later.
        make(&mut pauses, 2, Some(9));
        let later = SENT * 1000 + EVENT_TIMEOUT;
        assert_eq!(pauses.update(&key(), Some(&older), later), None);
        assert!(!pauses.contains(&key()));
    }
}

#[test]
fn pause_sent_twice_to_set_its_reason_is_one_pause() {
    let mut pauses = TimedPauses::default();
    pauses.begin(stored(1, Some(7)), SENT * 1000);
    acknowledge(&mut pauses, &UnconfirmedChange::Add(None));
    update(&mut pauses, &paused_at(PbxTime::reported(SENT), ""));
    acknowledge(&mut pauses, &acknowledged());
    let second = paused_at(PbxTime::reported(SENT + 1), "Lunch");
    pauses.pause_event(&key(), &second, true);
    pauses.sent(&key(), 1, SentOutcome::Made);
    assert_eq!(update(&mut pauses, &second), Some(7));
    assert_eq!(
        pauses.take_storage_changes(),
        [StorageChange::SetLastPause(1, SENT + 1)]
    );
}

#[test]
fn restart_of_asterisk_preserves_the_timed_pause() {
    let restart = PbxTime::reported(SENT + 600);
    for reason in ["Lunch", ""] {
        let mut pauses = TimedPauses::default();
        make_with_event(&mut pauses, 1, Some(7));
        let restored = Member {
            login_time: restart,
            ..paused_at(restart, reason)
        };
        assert_eq!(update(&mut pauses, &restored), Some(7), "{reason}");
        // The bridge is restarted, too.
        let noted = StoredPause {
            last_pause: Some(SENT),
            ..stored(1, Some(7))
        };
        let mut adopted = TimedPauses::default();
        adopted.adopt(noted);
        assert_eq!(update(&mut adopted, &restored), Some(7), "{reason}");
    }
}

#[test]
fn member_added_again_without_a_link_has_another_pause() {
    let added = PbxTime::reported(SENT + 600);
    let member = Member {
        login_time: added,
        ..paused_at(added, "Lunch")
    };
    for (uptime_seconds, since_reload_seconds, is_restored) in
        [(9000, 9000, false), (12, 12, true), (9000, 11, true)]
    {
        let mut pauses = TimedPauses::default();
        make_with_event(&mut pauses, 1, Some(7));
        pauses.link_established();
        let restarts = Restarts {
            uptime_seconds,
            since_reload_seconds,
        };
        pauses.asterisk_booted(Some(restarts), SENT + 610);
        let end = update(&mut pauses, &member);
        assert_eq!(end, is_restored.then_some(7), "{restarts:?}");
    }
}

#[test]
fn unknown_outcome_leaves_the_pause_that_stands() {
    let before = paused_at(PbxTime::reported(SENT - 300), "Lunch");
    let old = StoredPause {
        sent_at: (SENT - 300) * 1000,
        last_pause: Some(SENT - 300),
        ..stored(1, Some(7))
    };
    let after = paused_at(PbxTime::reported(SENT + 1), "Lunch");
    for (member, end) in [(&before, Some(7)), (&after, Some(9))] {
        let mut pauses = TimedPauses::default();
        pauses.adopt(old.clone());
        assert_eq!(update(&mut pauses, &before), Some(7));
        pauses.begin(stored(2, Some(9)), SENT * 1000);
        pauses.sent(&key(), 2, SentOutcome::Unknown);
        assert_eq!(update(&mut pauses, member), end);
        let changes = pauses.take_storage_changes();
        let is_old_deleted = changes.contains(&StorageChange::Delete(1));
        assert_eq!(is_old_deleted, end == Some(9), "{changes:?}");
        assert!(!changes.contains(&StorageChange::Delete(2)), "{changes:?}");
        // Much later, a pause that does not stand was never made.
        let later = SENT * 1000 + EVENT_TIMEOUT;
        assert_eq!(pauses.update(&key(), Some(member), later), end);
        assert_eq!(pauses.by_member[&key()].len(), 1);
    }
}

#[test]
fn late_acknowledgment_makes_the_pause_whose_outcome_was_unknown() {
    let mut pauses = TimedPauses::default();
    pauses.begin(stored(1, Some(7)), SENT * 1000);
    pauses.sent(&key(), 1, SentOutcome::Unknown);
    // An earlier unpause is acknowledged late, too.
    let unpause = UnconfirmedChange::Pause {
        paused: false,
        reason: Arc::default(),
        at: SENT,
    };
    acknowledge(&mut pauses, &unpause);
    let late = SENT + 25;
    pauses.change_acknowledged(&key(), &acknowledged(), late * 1000);
    let member = paused_at(PbxTime::acknowledged(late), "Lunch");
    assert_eq!(update(&mut pauses, &member), Some(7));
}

#[test]
fn refused_pause_leaves_the_earlier_one() {
    let member = paused_at(PbxTime::reported(SENT), "Lunch");
    let mut pauses = TimedPauses::default();
    make_with_event(&mut pauses, 1, Some(7));
    pauses.begin(stored(2, Some(9)), SENT * 1000);
    assert_eq!(update(&mut pauses, &member), Some(7));
    pauses.sent(&key(), 2, SentOutcome::NotMade);
    assert_eq!(update(&mut pauses, &member), Some(7));
    let changes = pauses.take_storage_changes();
    assert!(changes.contains(&StorageChange::Delete(2)), "{changes:?}");
}

#[test]
fn later_pause_replaces_the_earlier_one_in_the_same_second() {
    let member = paused_at(PbxTime::reported(SENT), "Lunch");
    for ends_at in [Some(9), None] {
        let mut pauses = TimedPauses::default();
        make(&mut pauses, 1, Some(7));
        update(&mut pauses, &member);
        make(&mut pauses, 2, ends_at);
        // The events of both pauses arrive late, in order.
        pauses.pause_event(&key(), &member, true);
        pauses.pause_event(&key(), &member, true);
        assert_eq!(update(&mut pauses, &member), ends_at);
        assert_eq!(pauses.by_member[&key()].len(), 1);
    }
}

#[test]
fn own_unpause_and_own_pause_without_end_replace_the_timed_pause() {
    for paused in [true, false] {
        let mut pauses = TimedPauses::default();
        make(&mut pauses, 1, Some(7));
        let change = UnconfirmedChange::Pause {
            paused,
            reason: Arc::default(),
            at: SENT,
        };
        acknowledge(&mut pauses, &change);
        assert!(!pauses.contains(&key()));
    }
}

#[test]
fn stored_pause_that_the_process_has_just_made_is_not_adopted() {
    let mut pauses = TimedPauses::default();
    pauses.begin(stored(1, Some(7)), SENT * 1000);
    pauses.adopt(stored(1, Some(7)));
    acknowledge(&mut pauses, &acknowledged());
    assert_eq!(pauses.take_storage_changes(), []);
}

#[test]
fn pause_that_may_still_arrive_is_remembered_for_a_while() {
    let unpaused = Member::for_test();
    let mut pauses = TimedPauses::default();
    pauses.adopt(stored(1, Some(7)));
    assert_eq!(update(&mut pauses, &unpaused), None);
    let arrived = paused_at(PbxTime::reported(SENT + 2), "Lunch");
    assert_eq!(update(&mut pauses, &arrived), Some(7));
    let mut pauses = TimedPauses::default();
    pauses.adopt(stored(1, Some(7)));
    let later = SENT * 1000 + EVENT_TIMEOUT;
    assert_eq!(pauses.update(&key(), Some(&unpaused), later), None);
    assert_eq!(pauses.take_storage_changes(), [StorageChange::Delete(1)]);
}
