//! Measures the bridge's own processor time for each action on PBXes of three sizes. The responses
//! are the same on all three, so the costs should be too.

use std::fmt::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::bridge::{self, Bridge};
use crate::http::{Connection, header};
use crate::options::Options;
use crate::pbx_config::{AGENT_CREDENTIALS, CREDENTIALS, LIMITED_CREDENTIALS, PbxConfig};
use crate::replies::excerpt;
use crate::stats::{rate, time};
use crate::test_bed::{TestBed, to_bridge};
use crate::wrk::Requests;
use crate::{Result, interrupt, machine, wrk};

/// The numbers of queues, each with 100 members. Each agent is in 10 queues.
const QUEUES: [u32; 3] = [10, 100, 500];

/// The number of connections over which the reads are sent.
const CONNECTIONS: usize = 8;

/// How many times each change is made and undone.
const CHANGES: u32 = 20;

/// `showstate` on the largest PBX must be at least this fast, compared with `showqueuestat` of one
/// queue in the same run.
const MIN_SHOWSTATE_RATIO: f64 = 0.5;

/// An action, and its requests.
struct Measured {
    name: &'static str,
    queries: Vec<String>,
    /// Whether the client already has the current response, so that the bridge sends a 304.
    is_unchanged: bool,
    is_change: bool,
}

/// The cost of an action on one PBX.
#[derive(Clone, Copy)]
struct Cost {
    /// The bridge's processor time for each request.
    cpu: Duration,
    /// Requests a second; `None` for changes, which Asterisk limits.
    rate: Option<f64>,
}

/// Measures all actions and prints the table.
pub(crate) fn run(options: &Options) -> Result<()> {
    wrk::ensure_installed()?;
    let machine = machine::describe()?;
    let mut costs: Vec<Vec<Cost>> = Vec::new();
    for queues in QUEUES {
        eprintln!("starting a PBX with {} memberships", queues * 100);
        let bed = TestBed::start(PbxConfig::queues_of_100("costs", queues), options)?;
        let bridge = bed.start_bridge()?;
        let measured = actions();
        let mut column = Vec::new();
        for action in &measured {
            interrupt::check()?;
            let cost = match action.is_change {
                true => cost_of_changes(&bridge, action)?,
                false => cost_of_reads(&bed, &bridge, action)?,
            };
            eprintln!("  {}: {}", action.name, cost.text());
            column.push(cost);
        }
        costs.push(column);
    }
    println!("\n{machine}\n\n{}", table(&costs)?);
    check_showstate(&costs)
}

fn actions() -> Vec<Measured> {
    let read = |name, query: &str| Measured {
        name,
        queries: vec![query.to_owned()],
        is_unchanged: false,
        is_change: false,
    };
    let change = |name, change: &str, undo: &str| Measured {
        queries: vec![
            format!("{CREDENTIALS}&{change}"),
            format!("{CREDENTIALS}&{undo}"),
        ],
        is_change: true,
        ..read(name, "")
    };
    let one_queue = format!("{CREDENTIALS}&action=showqueue&queue=7000");
    let ten_agents = (20_000..20_010).map(|agent: u32| agent.to_string());
    let ten_agents = ten_agents.collect::<Vec<_>>().join(",");
    vec![
        read("`showqueue` of a queue with 100 members", &one_queue),
        Measured {
            is_unchanged: true,
            ..read("the same, unchanged (304)", &one_queue)
        },
        read(
            "the same, for a user limited to one agent",
            &format!("{AGENT_CREDENTIALS}&action=showqueue&queue=7000"),
        ),
        read(
            "`showqueue` without `queue`, for a user limited to 10 queues",
            &format!("{LIMITED_CREDENTIALS}&action=showqueue"),
        ),
        read(
            SHOW_QUEUE_STAT,
            &format!("{CREDENTIALS}&action=showqueuestat&queue=7000"),
        ),
        read(
            SHOW_STATE,
            &format!("{CREDENTIALS}&action=showstate&agent=20000"),
        ),
        read(
            "`showstate` of 10 agents in 10 queues each",
            &format!("{CREDENTIALS}&action=showstate&agent={ten_agents}"),
        ),
        read("`whoami`", &format!("{CREDENTIALS}&action=whoami")),
        change(
            "`pause` and `unpause` in one queue",
            "action=pause&agent=20000&queue=7000&reason=Lunch",
            "action=unpause&agent=20000&queue=7000",
        ),
        change(
            "`add` and `remove` in one queue",
            "action=add&agent=20100&queue=7000",
            "action=remove&agent=20100&queue=7000",
        ),
    ]
}

const SHOW_QUEUE_STAT: &str = "`showqueuestat` of a queue with 100 members";
const SHOW_STATE: &str = "`showstate` of an agent in 10 queues";

fn cost_of_reads(bed: &TestBed, bridge: &Bridge, action: &Measured) -> Result<Cost> {
    let targets = action.queries.iter();
    let targets: Vec<_> = targets.map(|query| target(query)).collect();
    let response = Connection::open(bridge.address)?.get(&targets[0], "")?;
    require_success(&action.queries[0], response.status, response.text()?)?;
    let tag = header(&response.head, "ETag").unwrap_or_default();
    let requests = Requests {
        header: match action.is_unchanged {
            true => format!("If-None-Match: {tag}\r\n"),
            false => String::new(),
        },
        ..to_bridge(bridge, targets)
    };
    let before = bridge.precise_cpu()?;
    let result = wrk::run(&requests, CONNECTIONS, bed.turn_duration)?;
    let cpu = bridge.precise_cpu()?.saturating_sub(before);
    let size = result.bytes / result.responses;
    if action.is_unchanged == (size > response.size() / 2) {
        return Err(format!("{}: {size} bytes for each response", action.name).into());
    }
    Ok(Cost {
        cpu: cpu.div_f64(result.responses as f64),
        rate: Some(result.rate()),
    })
}

/// Makes and undoes a change, one after the other, at a pace that the PBX can sustain.
fn cost_of_changes(bridge: &Bridge, action: &Measured) -> Result<Cost> {
    let mut connection = Connection::open(bridge.address)?;
    let idle = idle_cpu(bridge)?;
    let (before, begin) = (bridge.precise_cpu()?, Instant::now());
    for _ in 0..CHANGES {
        for query in &action.queries {
            interrupt::check()?;
            let response = connection.get(&target(query), "")?;
            require_success(query, response.status, response.text()?)?;
            sleep(Duration::from_millis(20));
        }
    }
    let cpu = bridge.precise_cpu()?.saturating_sub(before);
    let cpu = cpu.saturating_sub(begin.elapsed().mul_f64(idle));
    Ok(Cost {
        cpu: cpu / (CHANGES * action.queries.len() as u32),
        rate: None,
    })
}

/// Returns the share of a processor that the bridge uses without requests.
fn idle_cpu(bridge: &Bridge) -> Result<f64> {
    let (before, begin) = (bridge.precise_cpu()?, Instant::now());
    sleep(Duration::from_secs(1));
    let cpu = bridge.precise_cpu()?.saturating_sub(before);
    Ok(cpu.as_secs_f64() / begin.elapsed().as_secs_f64())
}

fn target(query: &str) -> String {
    format!("{}?{query}", bridge::PATH)
}

fn require_success(query: &str, status: u16, body: &str) -> Result<()> {
    if status == 200 && body.starts_with(r#"{"status":"success""#) {
        return Ok(());
    }
    Err(format!("{query}: {}", excerpt(body)).into())
}

fn table(costs: &[Vec<Cost>]) -> Result<String> {
    let mut text = String::from("| action |");
    for queues in QUEUES {
        write!(text, " {} memberships |", queues * 100)?;
    }
    text += "\n|---|---|---|---|\n";
    for (index, action) in actions().iter().enumerate() {
        write!(text, "| {} |", action.name)?;
        for column in costs {
            write!(text, " {} |", column[index].text())?;
        }
        text.push('\n');
    }
    Ok(text)
}

impl Cost {
    fn text(self) -> String {
        match self.rate {
            Some(per_second) => format!("{} ({})", time(self.cpu), rate(per_second)),
            None => time(self.cpu),
        }
    }
}

/// Checks that `showstate` on the largest PBX is fast enough.
fn check_showstate(costs: &[Vec<Cost>]) -> Result<()> {
    let largest = costs.last().ok_or("no PBX was measured")?;
    let rate_of = |name: &str| {
        let index = actions().iter().position(|action| action.name == name)?;
        largest[index].rate
    };
    let rates = rate_of(SHOW_STATE).zip(rate_of(SHOW_QUEUE_STAT));
    let (state, statistics) = rates.ok_or("a rate is missing")?;
    let ratio = state / statistics;
    println!(
        "`showstate`: {ratio:.2} times the rate of `showqueuestat` (must be ≥ {MIN_SHOWSTATE_RATIO})"
    );
    if ratio < MIN_SHOWSTATE_RATIO {
        return Err("showstate is too slow".into());
    }
    Ok(())
}
