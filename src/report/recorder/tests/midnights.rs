//! Rows are cut at UTC midnights.

use super::*;

#[test]
fn rows_are_cut_at_utc_midnights() {
    let mut recorder = seeing();
    report(&mut recorder, NOON, Some(member(NOON - DAY_SECONDS, None)));
    report(
        &mut recorder,
        NOON + 10,
        Some(member(NOON - DAY_SECONDS, Some((NOON + 10, "")))),
    );
    // An event of the day before may still arrive.
    tick(&mut recorder, 50_000, NOON + 43_203);
    let mut stored = stored(&mut recorder);
    assert_eq!(stored.spans(EntryKind::Pause), [(10, None, None)]);
    tick(&mut recorder, 50_002, NOON + 43_205);
    stored.store(&mut recorder);
    let pauses = [(10, Some(43_190), None), (43_200, None, Some(43_190))];
    assert_eq!(stored.spans(EntryKind::Pause), pauses);
    let day = DAY_SECONDS.try_into().expect("a day");
    let logins = [
        (-DAY_SECONDS, Some(43_200), None),
        (-43_200, Some(day), Some(43_200)),
        (43_200, None, Some(43_200 + day)),
    ];
    assert_eq!(stored.spans(EntryKind::Login), logins);
}

#[test]
fn row_of_a_late_event_is_cut_after_the_cut_of_all_others() {
    let mut recorder = seeing();
    report(&mut recorder, NOON, Some(member(NOON, None)));
    tick(&mut recorder, 50_000, NOON + 43_206);
    report(&mut recorder, NOON + 43_207, None);
    let login = NOON + 43_198;
    report(&mut recorder, login, Some(member(login, None)));
    tick(&mut recorder, 50_002, NOON + 43_208);
    let logins = [
        (0, Some(43_200), None),
        (43_198, Some(2), None),
        (43_200, None, Some(2)),
        (43_200, Some(7), Some(43_200)),
    ];
    assert_eq!(stored(&mut recorder).spans(EntryKind::Login), logins);
}
