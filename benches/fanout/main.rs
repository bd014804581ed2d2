//! Measures event streams: the bridge, nginx with nchan, which only passes ready messages on, and
//! the bare cost of writing the same bytes to as many sockets. All sides run in turn on one machine:
//!
//! ```text
//! cargo bench --bench fanout [-- [--quick] [--before PROGRAM] [--only CELL]]
//! ```
//!
//! docs/PERFORMANCE.md describes what it measures, and how to read the results.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the benchmark prints its results"
)]

#[allow(dead_code, reason = "shared with the other benchmark")]
#[path = "../speed/asterisk.rs"]
mod asterisk;
#[allow(dead_code, reason = "shared with the other benchmark")]
#[path = "../speed/bridge.rs"]
mod bridge;
#[allow(dead_code, reason = "shared with the other benchmark")]
#[path = "../speed/http.rs"]
mod http;
#[path = "../speed/interrupt.rs"]
mod interrupt;
#[path = "../speed/machine.rs"]
mod machine;
#[allow(dead_code, reason = "shared with the other benchmark")]
#[path = "../speed/stats.rs"]
mod stats;

mod ami;
mod bare;
mod cell;
mod changes;
mod messages;
mod nchan;
mod options;
mod pbx;
mod process;
mod report;
mod scene;
mod storm;
mod streams;
mod turn;

use std::process::ExitCode;

use clap::Parser as _;

use cell::Cell;
use options::{Command, Options};
use report::Report;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(Command::BareServer { streams }) = options.command {
        return match bare::serve(streams) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    if !options.bench {
        // `cargo test --all-targets` also runs this program, but without optimization.
        println!("Run it with: cargo bench --bench fanout");
        return ExitCode::SUCCESS;
    }
    interrupt::watch(options.time_limit());
    let mut report = Report::default();
    if let Err(error) = run(&options, &mut report) {
        report.fail("benchmark", &*error);
    }
    print!("{}", report.markdown());
    report.exit_code()
}

fn run(options: &Options, report: &mut Report) -> Result<()> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    report.machine = machine::describe()?;
    report.nchan_is_missing = !nchan::is_installed();
    for cell in Cell::all() {
        interrupt::check()?;
        let name = cell.name();
        if !options.selects(&name) {
            continue;
        }
        eprintln!("{name}");
        match cell.run(options) {
            Ok(rows) => report.rows.extend(rows),
            Err(error) => report.fail(&name, &*error),
        }
    }
    if options.selects(storm::NAME) {
        eprintln!("{}", storm::NAME);
        match storm::run(options) {
            Ok(result) => report.storms.push(result),
            Err(error) => report.fail(storm::NAME, &*error),
        }
    }
    Ok(())
}
