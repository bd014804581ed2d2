//! Pauses members with an end, which the bridge stores on the disk before each pause, and without.

use crate::report::{Quantity, Row, Target};
use crate::test_bed::{Change, TestBed};
use crate::turn::Turn;
use crate::turn_result::{SideResults, TurnResult};
use crate::{Result, interrupt};

/// The end lies after the measurement.
const DURATION: &str = "&duration=3600";

pub(crate) fn measure(bed: &TestBed, name: &str, connections: usize) -> Result<Vec<Row>> {
    let pauses = bed.changes().into_iter().filter(|change| change.paused);
    let pauses: Vec<Change> = pauses.collect();
    let without: Vec<String> = pauses.iter().map(|one| bed.bridge_change(*one)).collect();
    let with: Vec<String> = without
        .iter()
        .map(|one| format!("{one}{DURATION}"))
        .collect();
    let turn = Turn {
        connections,
        duration: bed.turn_duration,
        changes: true,
    };
    let running = bed.start_bridge()?;
    let (mut timed, mut untimed) = (SideResults::default(), SideResults::default());
    for round in 1..=bed.rounds {
        interrupt::check()?;
        timed.push(turn.on_bridge(bed, &running, &with)?.0);
        // The first pauses without an end replace those with an end, so they don't count.
        turn.on_bridge(bed, &running, &without)?;
        untimed.push(turn.on_bridge(bed, &running, &without)?.0);
        let rates = [&timed, &untimed].map(|turns| turns.last(TurnResult::rate));
        eprintln!("  round {round}: with and without an end: {rates:.0?} a second");
    }
    let ratio = timed.ratio_to(&untimed, TurnResult::rate);
    let rate = timed.median(TurnResult::rate);
    let row = |what: &str, result, target| Row {
        cell: format!("{name}{what}"),
        bridge: timed.rates(),
        rawman: "–".to_owned(),
        bare: untimed.rates(),
        result,
        target,
    };
    Ok(vec![
        row(
            "",
            Quantity::Rate(rate),
            Target::AtLeast(Some(2000.0), None),
        ),
        row(
            ", against without an end (right)",
            Quantity::Ratio(ratio),
            Target::AtLeast(None, None),
        ),
    ])
}
