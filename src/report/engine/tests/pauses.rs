//! The number of pauses, if several begin or end in the same second.

use super::*;

/// Returns the number of an agent's pauses, by agent and as the sum over all queues. Each span has
/// a queue, a beginning and seconds.
fn counts(spans: &[(u32, i64, u32)]) -> (u64, u64) {
    let days = one_day();
    let rows: Vec<Entry> = spans
        .iter()
        .map(|(queue, began, seconds)| Entry {
            value: 21,
            ..row(EntryKind::Pause, 0, *queue, days.start() + began, *seconds)
        })
        .collect();
    let sum = |keys: &[GroupKey]| {
        let groups = compute(&rows, &days, keys);
        groups.values().map(Figures::pauses).sum()
    };
    (sum(&[GroupKey::Agent]), sum(&[GroupKey::Queue]))
}

#[test]
fn pauses_in_the_same_second_count_apart() {
    for (case, spans, expected) in [
        ("again at once", vec![(0, 5, 0), (0, 5, 9)], (2, 2)),
        ("three times", vec![(0, 5, 0), (0, 5, 0), (0, 5, 0)], (3, 3)),
        (
            "again in all queues",
            vec![(0, 5, 0), (0, 5, 9), (1, 5, 0), (1, 5, 9)],
            (2, 4),
        ),
        (
            "twice in all queues",
            vec![(0, 5, 0), (0, 5, 0), (1, 5, 0), (1, 5, 0)],
            (2, 4),
        ),
        (
            "one pause, in each queue a second later",
            vec![(0, 5, 0), (1, 5, 1), (2, 6, 0)],
            (1, 3),
        ),
        (
            "again in all queues when the first pause ends",
            vec![(0, 5, 5), (1, 5, 5), (0, 10, 5), (1, 10, 5)],
            (2, 4),
        ),
        (
            "again in one queue, while another stays paused",
            vec![(0, 5, 90), (1, 6, 0), (1, 6, 0), (1, 7, 3)],
            (1, 4),
        ),
        ("later", vec![(0, 5, 5), (1, 11, 5)], (2, 2)),
    ] {
        assert_eq!(counts(&spans), expected, "{case}");
    }
}
