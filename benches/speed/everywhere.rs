//! What it costs to pause an agent without naming queues: Asterisk decides which
//! queues those are at that moment, so the bridge tries all of the organization's.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::Connection;
use crate::plan::CREDENTIALS;
use crate::report::{Figure, Row, Target};
use crate::stats::{median, median_time, time};
use crate::world::World;
use crate::{Result, bridge, stop};

/// Agents whose pauses are measured, one after the other.
const AGENTS: usize = 12;

/// Between two measurements: a large PBX takes changes at a pace, and waiting for it is
/// not what is measured.
const REST: Duration = Duration::from_millis(400);

pub(crate) fn measure(world: &World, name: String) -> Result<Vec<Row>> {
    let running = world.bridge()?;
    let mut connection = Connection::open(running.address)?;
    let (mut everywhere, mut named) = (Vec::new(), Vec::new());
    for agent in world.plan.agents().into_iter().take(AGENTS) {
        stop::check()?;
        let shown = ask(&mut connection, &format!("action=showstate&agent={agent}"))?;
        let queues = numbers(&shown.1);
        let list = queues.join(",");
        for action in ["pause", "unpause"] {
            std::thread::sleep(REST);
            let query = format!("action={action}&agent={agent}&queue={list}");
            let (took, answer) = ask(&mut connection, &query)?;
            must_be(&numbers(&answer), &queues)?;
            named.push(took);
            std::thread::sleep(REST);
            let query = format!("action={action}&agent={agent}");
            let (took, answer) = ask(&mut connection, &query)?;
            must_be(&numbers(&answer), &queues)?;
            everywhere.push(took);
        }
    }
    let ratios = everywhere.iter().zip(&named);
    let ratio = median(ratios.map(|(one, other)| one.as_secs_f64() / other.as_secs_f64()));
    Ok(vec![Row {
        cell: name,
        bridge: time(median_time(everywhere)),
        rawman: "–".to_owned(),
        bare: time(median_time(named)),
        figure: Figure::Ratio(ratio),
        target: Target::AtMost(None, None),
    }])
}

fn ask(connection: &mut Connection, query: &str) -> Result<(Duration, Value)> {
    let begin = Instant::now();
    let target = format!("{}?{CREDENTIALS}&{query}", bridge::PATH);
    let answer = connection.get(&target, "")?;
    let took = begin.elapsed();
    let body: Value = serde_json::from_str(answer.text()?)?;
    if body["status"] != "success" {
        return Err(format!("{query}: {body}").into());
    }
    Ok((took, body))
}

fn numbers(answer: &Value) -> Vec<String> {
    let rows = answer["queues"].as_array().into_iter().flatten();
    let numbers = rows.filter_map(|row| row["queue"].as_str());
    numbers.map(str::to_owned).collect()
}

fn must_be(changed: &[String], expected: &[String]) -> Result<()> {
    if changed == expected {
        return Ok(());
    }
    Err(format!("{changed:?} were changed, and not {expected:?}").into())
}
