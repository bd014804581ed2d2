//! Pauses and unpauses members through the bridge, `/rawman` and a bare client, in turn.

use std::time::Duration;

use crate::ami::Ami;
use crate::http::Connection;
use crate::replies::{excerpt, is_bridge_success, is_pause_success, parse_queue_status};
use crate::report::{Quantity, Row, Target};
use crate::stats::{median, time};
use crate::test_bed::{Change, REASON, TestBed};
use crate::turn::Turn;
use crate::turn_result::{SideResults, TurnResult};
use crate::{Result, interrupt};

pub(crate) fn measure(bed: &TestBed, name: &str, connections: usize) -> Result<Vec<Row>> {
    verify(bed)?;
    let changes = bed.changes();
    let targets = |target: fn(&TestBed, Change) -> String| -> Vec<String> {
        changes.iter().map(|change| target(bed, *change)).collect()
    };
    let turn = Turn {
        connections,
        duration: bed.turn_duration,
        changes: true,
    };
    let mut sides = Sides::default();
    let mut cpu = Vec::new();
    for round in 1..=bed.rounds {
        interrupt::check()?;
        let running = bed.start_bridge()?;
        let (result, used) = turn.on_bridge(bed, &running, &targets(TestBed::bridge_change))?;
        drop(running);
        cpu.push(used.as_secs_f64() * 1e6 / result.responses as f64);
        sides.bridge.push(result);
        let result = turn.on_rawman(bed, &targets(TestBed::rawman_change))?;
        sides.rawman.push(result);
        let result = turn.on_bare_ami(bed, &targets(TestBed::bare_change), false)?;
        sides.bare.push(result);
        if connections == 32 {
            let result = turn.on_bare_ami(bed, &targets(TestBed::bare_change), true)?;
            sides.bare_with_events.push(result);
        }
        let turns = [&sides.bridge, &sides.rawman, &sides.bare];
        let rates = turns.map(|turns| turns.last(TurnResult::rate));
        eprintln!("  round {round}: bridge, rawman, bare: {rates:.0?} a second");
    }
    Ok(rows(name, connections, &sides, median(cpu)))
}

#[derive(Default)]
struct Sides {
    bridge: SideResults,
    rawman: SideResults,
    bare: SideResults,
    /// The bare client, receiving the same events as the bridge.
    bare_with_events: SideResults,
}

fn rows(name: &str, connections: usize, sides: &Sides, cpu: f64) -> Vec<Row> {
    let Sides {
        bridge,
        rawman,
        bare,
        bare_with_events,
    } = sides;
    let row = |what: &str, result, target| Row {
        cell: format!("{name}{what}"),
        bridge: bridge.rates(),
        rawman: rawman.rates(),
        bare: bare.rates(),
        result,
        target,
    };
    let rate_ratio = |other| Quantity::Ratio(bridge.ratio_to(other, TurnResult::rate));
    let at_least = |must, aim| Target::AtLeast(Some(must), Some(aim));
    match connections {
        1 => {
            let must = Target::AtLeast(Some(1.0), None);
            vec![row("", rate_ratio(rawman), must)]
        }
        32 => vec![
            Row {
                bare: bare_with_events.rates(),
                ..row(
                    ", against bare with events",
                    rate_ratio(bare_with_events),
                    at_least(0.65, 0.9),
                )
            },
            row(
                ", against bare",
                rate_ratio(bare),
                Target::AtLeast(None, None),
            ),
            row(
                ", against rawman",
                rate_ratio(rawman),
                Target::AtLeast(None, None),
            ),
            Row {
                bridge: time(Duration::from_secs_f64(cpu / 1e6)),
                rawman: "–".to_owned(),
                bare: "–".to_owned(),
                ..row(
                    ", bridge CPU time per change",
                    Quantity::Microseconds(cpu),
                    Target::AtMost(Some(40.0), Some(25.0)),
                )
            },
        ],
        _ => {
            let p99 = bridge.ratio_to(rawman, |turn| turn.p99.as_secs_f64());
            let quarter = Target::AtMost(Some(0.25), None);
            vec![
                row(", against rawman", rate_ratio(rawman), at_least(1.7, 2.5)),
                row(", p99 against rawman", Quantity::Ratio(p99), quarter),
            ]
        }
    }
}

/// Makes a few changes through the bridge and `/rawman`. Checks the responses, and whether
/// Asterisk has made each change.
pub(crate) fn verify(bed: &TestBed) -> Result<()> {
    let bridge = bed.start_bridge()?;
    let rawman = bed.login_to_rawman()?;
    let mut ami = Ami::login(bed.pbx.ami_port)?;
    let mut to_bridge = Connection::open(bridge.address)?;
    let mut to_rawman = Connection::open(rawman.address)?;
    for change in bed.changes().into_iter().take(8) {
        let response = to_bridge.get(&bed.bridge_change(change), "")?;
        let body = response.text()?;
        if response.status != 200 || !is_bridge_success(body) {
            return Err(format!("unexpected response from the bridge: {}", excerpt(body)).into());
        }
        verify_member(bed, &mut ami, change)?;
        // Undo the change, so that rawman has something to change.
        let undone = Change {
            paused: !change.paused,
            ..change
        };
        ami.action(&bed.bare_change(undone))?;
        let response = to_rawman.get(&bed.rawman_change(change), &rawman.cookie)?;
        let body = response.text()?;
        if response.status != 200 || !is_pause_success(body) {
            return Err(format!("unexpected response from rawman: {}", excerpt(body)).into());
        }
        verify_member(bed, &mut ami, change)?;
    }
    Ok(())
}

fn verify_member(bed: &TestBed, ami: &mut Ami, change: Change) -> Result<()> {
    let queue = bed.config.queue();
    let list = ami.queue_status(&format!("Queue: {}\r\n", bed.config.queue_name(queue)))?;
    let queues = parse_queue_status(&list)?;
    let mut members = queues.values().flatten();
    if members.any(|member| member.has_state(change.agent, change.paused, REASON)) {
        Ok(())
    } else {
        Err(format!("{change:?} was acknowledged but not made").into())
    }
}
