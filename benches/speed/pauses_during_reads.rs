//! Measures a client that makes 20 changes a second, while another client reads all queues of a
//! large PBX continuously. A large PBX can't process many more changes than that, because Asterisk
//! walks all memberships for each change.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::Connection;
use crate::pauses;
use crate::read_all_queues::ALL;
use crate::read_queue::require_ok;
use crate::replies::{excerpt, is_bridge_success, is_pause_success};
use crate::report::{Quantity, Row, Target};
use crate::test_bed::{Change, TestBed, to_bridge, to_rawman};
use crate::turn_result::{SideResults, TurnResult};
use crate::wrk::Requests;
use crate::{Result, interrupt};

/// 20 changes a second.
const CHANGE_INTERVAL: Duration = Duration::from_millis(50);

pub(crate) fn measure(bed: &TestBed, name: &str) -> Result<Vec<Row>> {
    pauses::verify(bed)?;
    let targets = |target: fn(&TestBed, Change) -> String| -> Vec<String> {
        let changes = bed.changes().into_iter();
        changes.map(|change| target(bed, change)).collect()
    };
    let (mut bridge, mut rawman) = (SideResults::default(), SideResults::default());
    let rounds = bed.rounds.min(3);
    for round in 1..=rounds {
        interrupt::check()?;
        let running = bed.start_bridge()?;
        let changes = to_bridge(&running, targets(TestBed::bridge_change));
        let reads = to_bridge(&running, vec![bed.bridge_read(ALL)]);
        bridge.push(turn(bed, &changes, &reads, is_bridge_success)?);
        drop(running);

        let _idle_bridge = bed.idle_bridge()?;
        let session = bed.login_to_rawman()?;
        let changes = to_rawman(&session, targets(TestBed::rawman_change));
        let reads = to_rawman(&session, vec![bed.rawman_read(ALL)]);
        rawman.push(turn(bed, &changes, &reads, is_pause_success)?);
        let p99 = |turn: &TurnResult| turn.p99.as_secs_f64() * 1e3;
        let times = [&bridge, &rawman].map(|turns| turns.last(p99));
        eprintln!("  round {round} of {rounds}: p99 of bridge, rawman: {times:.1?} ms");
    }
    let row = |what: &str, result, target| Row {
        cell: format!("{name}{what}"),
        bridge: bridge.times(),
        rawman: rawman.times(),
        bare: "–".to_owned(),
        result,
        target,
    };
    let p99 = bridge.ratio_to(&rawman, |turn| turn.p99.as_secs_f64());
    Ok(vec![
        row(
            ", p99 against rawman",
            Quantity::Ratio(p99),
            Target::AtMost(Some(1.0), None),
        ),
        row(
            ", p50",
            Quantity::Milliseconds(bridge.p50().as_secs_f64() * 1e3),
            Target::AtMost(None, Some(3.0)),
        ),
    ])
}

/// Stops the other client on drop.
pub(crate) struct StopOnDrop<'a>(pub(crate) &'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn turn(
    bed: &TestBed,
    changes: &Requests,
    reads: &Requests,
    has_changed: fn(&str) -> bool,
) -> Result<TurnResult> {
    bed.pbx.take_logged_pauses()?;
    let done = AtomicBool::new(false);
    let result = thread::scope(|scope| {
        let reader = scope.spawn(|| read_until_done(reads, &done));
        let result = {
            // The scope waits for the reader, even if the changes fail.
            let _stop = StopOnDrop(&done);
            let duration = bed.steady_turn_duration;
            change_steadily(changes, CHANGE_INTERVAL, duration, has_changed)
        };
        let lists = reader.join().map_err(|_| "the reader panicked")??;
        if lists == 0 {
            return Err("the reader received no list".into());
        }
        result
    })?;
    bed.pbx.wait_until_idle()?;
    let logged = bed.pbx.take_logged_pauses()?;
    if logged != result.responses {
        let responses = result.responses;
        return Err(
            format!("{responses} changes had a response, but Asterisk logged {logged}").into(),
        );
    }
    Ok(result)
}

fn read_until_done(reads: &Requests, done: &AtomicBool) -> Result<usize> {
    let mut connection = Connection::open(reads.address)?;
    let mut lists = 0;
    while !done.load(Ordering::Relaxed) {
        connection.get_size(&reads.targets[0], &reads.header)?;
        lists += 1;
    }
    Ok(lists)
}

/// Makes a change every `interval`. A change's time is measured from when the change was
/// due, so a slow change also adds to the times of the changes that it delays.
pub(crate) fn change_steadily(
    changes: &Requests,
    interval: Duration,
    duration: Duration,
    has_changed: fn(&str) -> bool,
) -> Result<TurnResult> {
    let mut connection = Connection::open(changes.address)?;
    let mut times = Vec::new();
    let begin = Instant::now();
    let mut due = begin;
    for target in changes.targets.iter().cycle() {
        due += interval;
        if due - begin > duration {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let response = require_ok(connection.get(target, &changes.header)?)?;
        times.push(due.elapsed());
        if !has_changed(response.text()?) {
            return Err(excerpt(response.text()?).into());
        }
    }
    Ok(TurnResult::new(times, begin.elapsed()))
}
