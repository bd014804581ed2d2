//! Compares the speed of the bridge with Asterisk's own HTTP interface and with a bare AMI
//! client, on one machine in one run:
//!
//! ```text
//! cargo bench --bench speed [-- [--quick] [--asterisk 16] [--costs] [FILTER]]
//! ```
//!
//! docs/PERFORMANCE.md describes what it measures, and how to read the results.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the benchmark prints its results"
)]

mod ami;
mod asterisk;
mod bridge;
mod cells;
mod costs;
mod http;
mod interrupt;
mod machine;
mod memory;
mod options;
mod pause_all_queues;
mod pauses;
mod pauses_during_lists;
mod pauses_during_reads;
mod pbx;
mod pbx_config;
mod rawman;
mod read_all_queues;
mod read_queue;
mod replies;
mod report;
mod startup;
mod stats;
mod test_bed;
mod timed_pauses;
mod turn;
mod turn_result;
mod wrk;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;

use cells::{Cell, LARGE, LISTS, SMALL};
use options::Options;
use pbx_config::PbxConfig;
use report::Report;
use test_bed::TestBed;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let options = Options::parse();
    if !options.bench {
        // `cargo test --all-targets` also runs this program, but without optimization.
        println!("Run it with: cargo bench --bench speed");
        return ExitCode::SUCCESS;
    }
    interrupt::watch(options.time_limit());
    if options.costs {
        return match costs::run(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("FAILED: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let mut report = Report::default();
    if let Err(error) = run(&options, &mut report) {
        report.fail("benchmark", &*error);
    }
    print!("{}", report.markdown());
    report.exit_code()
}

fn run(options: &Options, report: &mut Report) -> Result<()> {
    wrk::ensure_installed()?;
    report.machine = machine::describe()?;
    let begin = Instant::now();
    for (pbx_config, cells) in [
        (PbxConfig::small(), SMALL),
        // Changes are paced from 2,000 memberships on.
        (PbxConfig::equal_queues("unpaced", 99), LISTS),
        (PbxConfig::equal_queues("paced", 250), LISTS),
        (PbxConfig::large(), LARGE),
    ] {
        let cells: Vec<&Cell> = cells
            .iter()
            .filter(|cell| options.selects(&cell.name(&pbx_config)))
            .collect();
        if cells.is_empty() {
            continue;
        }
        eprintln!("starting the {} PBX", pbx_config.name);
        let bed = TestBed::start(pbx_config, options)?;
        report.asterisk = bed.pbx.version()?;
        for cell in cells {
            interrupt::check()?;
            let name = cell.name(&bed.config);
            eprintln!("{name} (at {:.0?})", begin.elapsed());
            match cell.run(&bed) {
                Ok(rows) => report.rows.extend(rows),
                Err(error) => report.fail(&name, &*error),
            }
        }
    }
    Ok(())
}
