//! Pausing and unpausing: the bridge, `/rawman` and a bare client in turn.

use std::time::Duration;

use crate::ami::Ami;
use crate::answers::{asterisk_has_changed, beginning, bridge_has_changed, of_asterisk};
use crate::http::Connection;
use crate::load::{Load, Turns};
use crate::report::{Figure, Row, Target};
use crate::stats::{median, time};
use crate::turns::Turn;
use crate::world::{Change, REASON, World};
use crate::{Result, stop};

pub(crate) fn measure(world: &World, name: &str, connections: usize) -> Result<Vec<Row>> {
    verify(world)?;
    let changes = world.changes();
    let all = |target: fn(&World, Change) -> String| -> Vec<String> {
        changes
            .iter()
            .map(|change| target(world, *change))
            .collect()
    };
    let turn = Turn {
        connections,
        duration: world.round,
        changes: true,
    };
    let mut sides = Sides::default();
    let mut cpu = Vec::new();
    for round in 1..=world.rounds {
        stop::check()?;
        let running = world.bridge()?;
        let (load, used) = turn.of_bridge(world, &running, &all(World::bridge_change))?;
        drop(running);
        cpu.push(used.as_secs_f64() * 1e6 / load.answered as f64);
        sides.bridge.push(load);
        let load = turn.of_rawman(world, &all(World::rawman_change))?;
        sides.rawman.push(load);
        let load = turn.of_bare(world, &all(World::bare_change), false)?;
        sides.bare.push(load);
        if connections == 32 {
            let load = turn.of_bare(world, &all(World::bare_change), true)?;
            sides.told.push(load);
        }
        let turns = [&sides.bridge, &sides.rawman, &sides.bare];
        let rates = turns.map(|turns| turns.last(Load::rate));
        eprintln!("  round {round}: bridge, rawman, bare: {rates:.0?} a second");
    }
    Ok(rows(name, connections, &sides, median(cpu)))
}

#[derive(Default)]
struct Sides {
    bridge: Turns,
    rawman: Turns,
    bare: Turns,
    /// Bare, on a session that is told events, as the bridge's has to be.
    told: Turns,
}

fn rows(name: &str, connections: usize, sides: &Sides, cpu: f64) -> Vec<Row> {
    let Sides {
        bridge,
        rawman,
        bare,
        told,
    } = sides;
    let row = |what: &str, figure, target| Row {
        cell: format!("{name}{what}"),
        bridge: bridge.rates(),
        rawman: rawman.rates(),
        bare: bare.rates(),
        figure,
        target,
    };
    let against = |other| Figure::Ratio(bridge.against(other, Load::rate));
    let at_least = |must, aim| Target::AtLeast(Some(must), Some(aim));
    match connections {
        1 => vec![row("", against(rawman), at_least(1.0, 1.2))],
        32 => vec![
            row(", against rawman", against(rawman), at_least(1.5, 2.0)),
            row(", against bare", against(bare), at_least(0.65, 0.85)),
            Row {
                bridge: "–".to_owned(),
                bare: told.rates(),
                ..row(
                    ", bare with events against rawman",
                    Figure::Ratio(told.against(rawman, Load::rate)),
                    Target::AtLeast(None, None),
                )
            },
            Row {
                bridge: time(Duration::from_secs_f64(cpu / 1e6)),
                rawman: "–".to_owned(),
                bare: "–".to_owned(),
                ..row(
                    ", the bridge's own CPU for each",
                    Figure::Microseconds(cpu),
                    Target::AtMost(Some(60.0), Some(40.0)),
                )
            },
        ],
        _ => {
            let p99 = bridge.against(rawman, |load| load.p99.as_secs_f64());
            let quarter = Target::AtMost(Some(0.25), None);
            vec![
                row(", against rawman", against(rawman), at_least(1.7, 2.5)),
                row(", p99 against rawman", Figure::Ratio(p99), quarter),
            ]
        }
    }
}

/// Each kind of request once, on each side: what it answers, and whether Asterisk
/// has done it.
pub(crate) fn verify(world: &World) -> Result<()> {
    let bridge = world.bridge()?;
    let rawman = world.rawman()?;
    let mut ami = Ami::login(world.pbx.ami_port)?;
    let mut to_bridge = Connection::open(bridge.address)?;
    let mut to_rawman = Connection::open(rawman.address)?;
    for change in world.changes().into_iter().take(8) {
        let answer = to_bridge.get(&world.bridge_change(change), "")?;
        let body = answer.text()?;
        if answer.status != 200 || !bridge_has_changed(body) {
            return Err(format!("the bridge: {}", beginning(body)).into());
        }
        must_be(world, &mut ami, change)?;
        // Undone in between, so that rawman has something to do.
        let undone = Change {
            paused: !change.paused,
            ..change
        };
        ami.action(&world.bare_change(undone))?;
        let answer = to_rawman.get(&world.rawman_change(change), &rawman.cookie)?;
        let body = answer.text()?;
        if answer.status != 200 || !asterisk_has_changed(body) {
            return Err(format!("rawman: {}", beginning(body)).into());
        }
        must_be(world, &mut ami, change)?;
    }
    Ok(())
}

fn must_be(world: &World, ami: &mut Ami, change: Change) -> Result<()> {
    let queue = world.plan.queue();
    let list = ami.queue_status(&format!("Queue: {}\r\n", world.plan.queue_name(queue)))?;
    let queues = of_asterisk(&list)?;
    let mut members = queues.values().flatten();
    if members.any(|member| member.is(change.agent, change.paused, REASON)) {
        Ok(())
    } else {
        Err(format!("{change:?} was acknowledged, and is not so").into())
    }
}
