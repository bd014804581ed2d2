//! Measures the cost of pausing an agent without naming queues. Only Asterisk knows at that moment
//! which queues the agent is in, so the bridge tries all of the organization's queues.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::Connection;
use crate::pbx_config::CREDENTIALS;
use crate::report::{Quantity, Row, Target};
use crate::stats::{median, median_time, time};
use crate::test_bed::TestBed;
use crate::{Result, bridge, interrupt};

/// The number of agents to pause, one after the other.
const AGENTS: usize = 12;

/// The delay between two changes. The bridge paces changes on a large PBX. This delay keeps the
/// wait for the pacing out of the measurement.
const PACE_DELAY: Duration = Duration::from_millis(400);

pub(crate) fn measure(bed: &TestBed, name: String) -> Result<Vec<Row>> {
    let running = bed.start_bridge()?;
    let mut connection = Connection::open(running.address)?;
    let (mut all_queues, mut named) = (Vec::new(), Vec::new());
    for agent in bed.config.agents().into_iter().take(AGENTS) {
        interrupt::check()?;
        let (_, state) = request(&mut connection, &format!("action=showstate&agent={agent}"))?;
        let queues = queue_numbers(&state);
        let list = queues.join(",");
        for action in ["pause", "unpause"] {
            std::thread::sleep(PACE_DELAY);
            let query = format!("action={action}&agent={agent}&queue={list}");
            let (took, body) = request(&mut connection, &query)?;
            verify_queues(&queue_numbers(&body), &queues)?;
            named.push(took);
            std::thread::sleep(PACE_DELAY);
            let query = format!("action={action}&agent={agent}");
            let (took, body) = request(&mut connection, &query)?;
            verify_queues(&queue_numbers(&body), &queues)?;
            all_queues.push(took);
        }
    }
    let ratios = all_queues.iter().zip(&named);
    let ratio = median(ratios.map(|(one, other)| one.as_secs_f64() / other.as_secs_f64()));
    Ok(vec![Row {
        cell: name,
        bridge: time(median_time(all_queues)),
        rawman: "–".to_owned(),
        bare: time(median_time(named)),
        result: Quantity::Ratio(ratio),
        target: Target::AtMost(None, None),
    }])
}

fn request(connection: &mut Connection, query: &str) -> Result<(Duration, Value)> {
    let begin = Instant::now();
    let target = format!("{}?{CREDENTIALS}&{query}", bridge::PATH);
    let response = connection.get(&target, "")?;
    let took = begin.elapsed();
    let body: Value = serde_json::from_str(response.text()?)?;
    if body["status"] != "success" {
        return Err(format!("{query}: {body}").into());
    }
    Ok((took, body))
}

fn queue_numbers(body: &Value) -> Vec<String> {
    let rows = body["queues"].as_array().into_iter().flatten();
    let numbers = rows.filter_map(|row| row["queue"].as_str());
    numbers.map(str::to_owned).collect()
}

fn verify_queues(changed: &[String], expected: &[String]) -> Result<()> {
    if changed == expected {
        return Ok(());
    }
    Err(format!("changed {changed:?} instead of {expected:?}").into())
}
