//! Gaps, and what fills them.

use super::*;

/// Returns what is stored if Asterisk reports `after` after a gap from 100 to 200. The bridge is killed
/// at the beginning of the gap if `is_killed`, otherwise it loses the link, and it is killed during the
/// gap.
fn stored_after_gap(after: Option<WorkMember>, is_killed: bool) -> Stored {
    let mut recorder = seeing();
    report(&mut recorder, NOON, Some(member(NOON, None)));
    report(
        &mut recorder,
        NOON + 50,
        Some(member(NOON, Some((NOON + 50, "Lunch")))),
    );
    tick(&mut recorder, 1000, NOON + 100);
    let mut stored = stored(&mut recorder);
    if is_killed {
        recorder = Recorder::new("main".to_owned(), stored.report(), 2);
    } else {
        let last_sight = NOON + 100;
        recorder.observe(WorkEvent::Unseen { last_sight });
    }
    stored.store(&mut recorder);
    assert_eq!(stored.gaps.len(), 1);
    assert_eq!(
        (stored.gaps[0].began, stored.gaps[0].ended),
        (NOON + 100, None)
    );
    // The bridge is killed again before it sees the PBX.
    recorder = Recorder::new("main".to_owned(), stored.report(), 3);
    report(&mut recorder, NOON + 200, after);
    recorder.observe(WorkEvent::Seen { at: NOON + 201 });
    stored.store(&mut recorder);
    assert_eq!(stored.gaps.len(), 1);
    assert_eq!(stored.gaps[0].ended, Some(NOON + 202));
    stored
}

#[test]
fn gap_is_filled_only_with_what_asterisk_proves() {
    // What Asterisk reports after the gap from 100 to 200, and the rows that follow from it.
    let lunch = |began| Some((NOON + began, "Lunch"));
    let logged_in = vec![(0, Some(100), None), (100, None, Some(100))];
    let one_pause = vec![(50, Some(50), None), (100, None, Some(50))];
    for (case, after, logins, pauses) in [
        (
            "unchanged",
            Some(member(NOON, lunch(50))),
            logged_in.clone(),
            one_pause,
        ),
        (
            "unpaused",
            Some(member(NOON, None)),
            logged_in.clone(),
            vec![(50, Some(50), None)],
        ),
        (
            "another pause",
            Some(member(NOON, lunch(150))),
            logged_in.clone(),
            vec![(50, Some(50), None), (150, None, None)],
        ),
        (
            "Asterisk was restarted",
            Some(member(NOON + 160, lunch(160))),
            vec![(0, Some(100), None), (160, None, None)],
            vec![(50, Some(50), None), (160, None, Some(110))],
        ),
        (
            "Asterisk before 16.23",
            Some(member(0, lunch(50))),
            vec![(0, Some(100), None), (200, None, None)],
            vec![(50, Some(50), None), (200, None, Some(150))],
        ),
        (
            "gone",
            None,
            vec![(0, Some(100), None)],
            vec![(50, Some(50), None)],
        ),
    ] {
        for is_killed in [false, true] {
            let stored = stored_after_gap(after.clone(), is_killed);
            assert_eq!(stored.spans(EntryKind::Login), logins, "{case} {is_killed}");
            assert_eq!(stored.spans(EntryKind::Pause), pauses, "{case} {is_killed}");
        }
    }
}

#[test]
fn clock_set_back_across_a_restart_loses_no_second_and_leaves_a_gap() {
    let mut recorder = seeing();
    report(
        &mut recorder,
        NOON,
        Some(member(NOON, Some((NOON, "Lunch")))),
    );
    tick(&mut recorder, 1000, NOON + 100);
    let mut stored = stored(&mut recorder);
    // The clock is set back by 70 s, and the restart takes 10 s.
    recorder = Recorder::new("main".to_owned(), stored.report(), 1);
    let after = member(NOON - 70, Some((NOON - 70, "Lunch")));
    report(&mut recorder, NOON + 40, Some(after));
    recorder.observe(WorkEvent::Seen { at: NOON + 41 });
    report(&mut recorder, NOON + 50, None);
    stored.store(&mut recorder);
    for kind in [EntryKind::Login, EntryKind::Pause] {
        let spans: Vec<_> = stored
            .spans(kind)
            .iter()
            .map(|span| (span.0, span.1))
            .collect();
        assert_eq!(spans, [(0, Some(100)), (40, Some(10))]);
    }
    let gaps: Vec<_> = stored
        .gaps
        .iter()
        .map(|gap| (gap.began, gap.ended))
        .collect();
    assert_eq!(gaps, [(NOON + 42, Some(NOON + 100))]);
    let eras: std::collections::BTreeSet<u32> = stored.rows.iter().map(|row| row.era).collect();
    assert_eq!(eras.into_iter().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn new_database_gets_everything_that_lasts() {
    let mut recorder = seeing();
    report(
        &mut recorder,
        NOON + 5,
        Some(member(NOON - 60, Some((NOON + 1, "Lunch")))),
    );
    tick(&mut recorder, 1000, NOON + 10);
    let before = recorder.take_batch();
    recorder.store_again();
    let again = recorder.take_batch();
    assert_eq!(
        (&again.rows, &again.aliases),
        (&before.rows, &before.aliases)
    );
    assert_eq!((again.rows.len(), again.sight), (2, Some(NOON + 10)));
    let last_sight = NOON + 20;
    recorder.observe(WorkEvent::Unseen { last_sight });
    let gaps = recorder.take_batch().gaps;
    recorder.store_again();
    let again = recorder.take_batch();
    assert_eq!((again.rows, again.gaps), (before.rows, gaps));
    assert_eq!(again.sight, Some(last_sight));
}
