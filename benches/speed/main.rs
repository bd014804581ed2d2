//! How fast the bridge is, beside Asterisk's own HTTP interface and a bare AMI
//! client, on one machine in one run:
//!
//! ```text
//! cargo bench --bench speed [-- [--quick] [--asterisk 16] [FILTER]]
//! ```
//!
//! What is measured, and how to read it, stands in docs/PERFORMANCE.md.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people: its table is its output"
)]

mod ami;
mod answers;
mod bridge;
mod cells;
mod everywhere;
mod http;
mod lists;
mod load;
mod machine;
mod memory;
mod mixed;
mod options;
mod pauses;
mod pbx;
mod plan;
mod rawman;
mod reads;
mod report;
mod seed;
mod stats;
mod stop;
mod turns;
mod world;
mod wrk;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;

use cells::{Cell, LARGE, SMALL};
use options::Options;
use plan::Plan;
use report::Report;
use world::World;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let options = Options::parse();
    if !options.bench {
        // As "cargo test --all-targets" does, without optimisation.
        println!("only under: cargo bench --bench speed");
        return ExitCode::SUCCESS;
    }
    stop::watch(options.limit());
    let mut report = Report::default();
    if let Err(error) = run(&options, &mut report) {
        report.fail("the run", &*error);
    }
    print!("{}", report.markdown());
    report.exit_code()
}

fn run(options: &Options, report: &mut Report) -> Result<()> {
    wrk::ensure()?;
    report.machine = machine::describe()?;
    let begin = Instant::now();
    for (plan, cells) in [(Plan::small(), SMALL), (Plan::large(), LARGE)] {
        let cells: Vec<&Cell> = cells
            .iter()
            .filter(|cell| options.selects(&cell.name(&plan)))
            .collect();
        if cells.is_empty() {
            continue;
        }
        eprintln!("starting the {} PBX", plan.name);
        let world = World::start(plan, options)?;
        report.asterisk = world.pbx.build()?;
        for cell in cells {
            stop::check()?;
            let name = cell.name(&world.plan);
            eprintln!("{name} (at {:.0?})", begin.elapsed());
            match cell.run(&world) {
                Ok(rows) => report.rows.extend(rows),
                Err(error) => report.fail(&name, &*error),
            }
        }
    }
    Ok(())
}
