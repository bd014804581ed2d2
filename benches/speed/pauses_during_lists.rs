//! Measures a user who makes single pauses while another user of the same organization pauses lists
//! of agents continuously, compared with the same pauses without lists.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::Connection;
use crate::pauses_during_reads::{StopOnDrop, change_steadily};
use crate::pbx_config::{CREDENTIALS, OTHER_CREDENTIALS};
use crate::replies::{excerpt, is_bridge_success};
use crate::report::{Quantity, Row, Target};
use crate::test_bed::{REASON, TestBed, to_bridge};
use crate::turn_result::{SideResults, TurnResult};
use crate::wrk::Requests;
use crate::{Result, bridge, interrupt};

/// 100 single pauses a second.
const PAUSE_INTERVAL: Duration = Duration::from_millis(10);

/// The maximum number of agents in a list.
const MAX_LISTED: usize = 100;

pub(crate) fn measure(bed: &TestBed, name: &str) -> Result<Vec<Row>> {
    let agents = bed.config.agents();
    let (single, others) = agents.split_last().ok_or("a PBX without agents")?;
    let listed = &others[..others.len().min(MAX_LISTED)];
    let queues = bed.config.static_queues.ok_or("a PBX with static queues")?;
    let running = bed.start_bridge()?;
    let target = |credentials: &str, action: &str, agents: &str, queues: &str| {
        let query = format!("action={action}&agent={agents}&queue={queues}&reason={REASON}");
        format!("{}?{credentials}&{query}", bridge::PATH)
    };
    let first = bed.config.queue();
    let numbers = (first..first + queues.queues).map(|number| number.to_string());
    let numbers = numbers.collect::<Vec<_>>().join(",");
    let agents = listed.iter().map(ToString::to_string);
    let agents = agents.collect::<Vec<_>>().join(",");
    let lists = ["pause", "unpause"].map(|action| target(CREDENTIALS, action, &agents, &numbers));
    let lists = to_bridge(&running, lists.to_vec());
    let (single, queue) = (single.to_string(), first.to_string());
    let singles =
        ["pause", "unpause"].map(|action| target(OTHER_CREDENTIALS, action, &single, &queue));
    let singles = to_bridge(&running, singles.to_vec());

    let (mut with, mut without) = (SideResults::default(), SideResults::default());
    let mut list_times = SideResults::default();
    let rounds = bed.rounds.min(3);
    for round in 1..=rounds {
        interrupt::check()?;
        bed.pbx.wait_until_idle()?;
        let duration = bed.steady_turn_duration;
        without.push(change_steadily(
            &singles,
            PAUSE_INTERVAL,
            duration,
            is_bridge_success,
        )?);
        let (result, list_result) = turn(bed, &singles, &lists)?;
        with.push(result);
        list_times.push(list_result);
        let p99 = |turn: &TurnResult| turn.p99.as_secs_f64() * 1e3;
        let times = [&with, &without].map(|turns| turns.last(p99));
        eprintln!("  round {round} of {rounds}: p99 with and without lists: {times:.1?} ms");
    }
    let row = |what: &str, bridge, bare, result| Row {
        cell: format!("{name}{what}"),
        bridge,
        rawman: "–".to_owned(),
        bare,
        result,
        target: Target::AtMost(None, None),
    };
    let p99 = with.ratio_to(&without, |turn| turn.p99.as_secs_f64());
    let changes = (listed.len() * queues.queues as usize) as f64;
    let rate = list_times.median(|turn| turn.rate() * changes);
    Ok(vec![
        row(
            ", p99 against without lists (right)",
            with.times(),
            without.times(),
            Quantity::Ratio(p99),
        ),
        row(
            &format!(", lists: {rate:.0} changes a second"),
            list_times.times(),
            "–".to_owned(),
            Quantity::Rate(rate),
        ),
    ])
}

/// Returns the times of the single pauses, and those of the lists.
fn turn(bed: &TestBed, singles: &Requests, lists: &Requests) -> Result<(TurnResult, TurnResult)> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let lister = scope.spawn(|| pause_lists_until_done(lists, &done));
        let result = {
            // The scope waits for the other client, even if the single pauses fail.
            let _stop = StopOnDrop(&done);
            let duration = bed.steady_turn_duration;
            change_steadily(singles, PAUSE_INTERVAL, duration, is_bridge_success)
        };
        let lists = lister.join().map_err(|_| "the other client panicked")??;
        Ok((result?, lists))
    })
}

fn pause_lists_until_done(lists: &Requests, done: &AtomicBool) -> Result<TurnResult> {
    let mut connection = Connection::open(lists.address)?;
    let mut times = Vec::new();
    let begin = Instant::now();
    for target in lists.targets.iter().cycle() {
        if done.load(Ordering::Relaxed) && !times.is_empty() {
            break;
        }
        let sent = Instant::now();
        let response = connection.get(target, &lists.header)?;
        times.push(sent.elapsed());
        let body = response.text()?;
        if !body.starts_with(r#"{"status":"success""#) {
            return Err(excerpt(body).into());
        }
    }
    Ok(TurnResult::new(times, begin.elapsed()))
}
