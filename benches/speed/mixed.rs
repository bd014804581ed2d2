//! A panel that changes something twenty times a second, while another client
//! reads every queue of a large PBX without a break. A large PBX can digest not
//! many more: for each change, Asterisk walks every membership.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::answers::{asterisk_has_changed, beginning, bridge_has_changed};
use crate::http::Connection;
use crate::lists::ALL;
use crate::load::{Load, Turns};
use crate::pauses;
use crate::reads::ok;
use crate::report::{Figure, Row, Target};
use crate::world::{Change, World, to_bridge, to_rawman};
use crate::wrk::Requests;
use crate::{Result, stop};

const EVERY: Duration = Duration::from_millis(50);

pub(crate) fn measure(world: &World, name: &str) -> Result<Vec<Row>> {
    pauses::verify(world)?;
    let all = |target: fn(&World, Change) -> String| -> Vec<String> {
        let changes = world.changes().into_iter();
        changes.map(|change| target(world, change)).collect()
    };
    let (mut bridge, mut rawman) = (Turns::default(), Turns::default());
    let rounds = world.rounds.min(3);
    for round in 1..=rounds {
        stop::check()?;
        let running = world.bridge()?;
        let changes = to_bridge(&running, all(World::bridge_change));
        let reads = to_bridge(&running, vec![world.bridge_read(ALL)]);
        bridge.push(turn(world, &changes, &reads, bridge_has_changed)?);
        drop(running);

        let _bystander = world.bystander()?;
        let session = world.rawman()?;
        let changes = to_rawman(&session, all(World::rawman_change));
        let reads = to_rawman(&session, vec![world.rawman_read(ALL)]);
        rawman.push(turn(world, &changes, &reads, asterisk_has_changed)?);
        let p99 = |load: &Load| load.p99.as_secs_f64() * 1e3;
        let times = [&bridge, &rawman].map(|turns| turns.last(p99));
        eprintln!("  round {round} of {rounds}: p99 of bridge, rawman: {times:.1?} ms");
    }
    let row = |what: &str, figure, target| Row {
        cell: format!("{name}{what}"),
        bridge: bridge.times(),
        rawman: rawman.times(),
        bare: "–".to_owned(),
        figure,
        target,
    };
    let p99 = bridge.against(&rawman, |load| load.p99.as_secs_f64());
    Ok(vec![
        row(
            ", p99 against rawman",
            Figure::Ratio(p99),
            Target::AtMost(Some(1.0), None),
        ),
        row(
            ", p50",
            Figure::Milliseconds(bridge.p50().as_secs_f64() * 1e3),
            Target::AtMost(None, Some(3.0)),
        ),
    ])
}

struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn turn(
    world: &World,
    changes: &Requests,
    reads: &Requests,
    has_changed: fn(&str) -> bool,
) -> Result<Load> {
    world.pbx.take_logged_pauses()?;
    let done = AtomicBool::new(false);
    let load = thread::scope(|scope| {
        let reader = scope.spawn(|| read_until(reads, &done));
        let load = {
            // Also where it fails: the scope waits for the reader.
            let _end = EndOnDrop(&done);
            change_steadily(changes, world.long_round, has_changed)
        };
        let lists = reader.join().map_err(|_| "the reader panicked")??;
        if lists == 0 {
            return Err("nothing was read meanwhile".into());
        }
        load
    })?;
    world.pbx.settle()?;
    let logged = world.pbx.take_logged_pauses()?;
    if logged != load.answered {
        let answered = load.answered;
        return Err(format!("{answered} changes were answered, and {logged} logged").into());
    }
    Ok(load)
}

fn read_until(reads: &Requests, done: &AtomicBool) -> Result<usize> {
    let mut connection = Connection::open(reads.address)?;
    let mut lists = 0;
    while !done.load(Ordering::Relaxed) {
        connection.get_size(&reads.targets[0], &reads.header)?;
        lists += 1;
    }
    Ok(lists)
}

/// Times count from when a change was due: one that waits for a late one before
/// it has waited as well.
fn change_steadily(
    changes: &Requests,
    duration: Duration,
    has_changed: fn(&str) -> bool,
) -> Result<Load> {
    let mut connection = Connection::open(changes.address)?;
    let mut times = Vec::new();
    let begin = Instant::now();
    let mut due = begin;
    for target in changes.targets.iter().cycle() {
        due += EVERY;
        if due - begin > duration {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let answer = ok(connection.get(target, &changes.header)?)?;
        times.push(due.elapsed());
        if !has_changed(answer.text()?) {
            return Err(beginning(answer.text()?).into());
        }
    }
    Ok(Load::of(times, begin.elapsed()))
}
