//! The table of results.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use crate::stats::time;
use crate::storm::StormResult;
use crate::turn::TurnResult;

/// The results of one side of a cell.
pub(crate) struct Row {
    pub(crate) cell: String,
    pub(crate) side: String,
    pub(crate) result: TurnResult,
}

#[derive(Default)]
pub(crate) struct Report {
    pub(crate) machine: String,
    pub(crate) nchan_is_missing: bool,
    pub(crate) rows: Vec<Row>,
    pub(crate) storms: Vec<StormResult>,
    failures: Vec<String>,
}

impl Report {
    /// Adds a cell that could not be measured.
    pub(crate) fn fail(&mut self, cell: &str, error: &(dyn std::error::Error + Send + Sync)) {
        let failure = format!("{cell}: {error}");
        eprintln!("FAILED: {failure}");
        self.failures.push(failure);
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("\n{}\n\n", self.machine);
        text += "| cell | side | CPU, events | CPU, opening | all open | p50 | p99 | a stream | grown by | new snapshots | late | lost |\n";
        text += "|---|---|---|---|---|---|---|---|---|---|---|---|\n";
        for Row { cell, side, result } in &self.rows {
            let _ = writeln!(
                text,
                "| {cell} | {side} | {:.2} s | {:.2} s | {} | {} | {} | {:.1} KB | {:.1} MB | {} | {} | {} |",
                result.flow_cpu.as_secs_f64(),
                result.open_cpu.as_secs_f64(),
                time(result.opened_within),
                time(result.p50),
                time(result.p99),
                result.kilobytes_per_stream,
                result.kilobytes_grown / 1000.0,
                result.snapshots,
                result.late,
                result.lost,
            );
        }
        for storm in &self.storms {
            text += &storm.markdown();
        }
        text += "\n| cell | figure | result | aim | met? |\n|---|---|---|---|---|\n";
        for row in self.rows.iter().filter(|row| row.side == "bridge") {
            text += &self.aims(row);
        }
        if self.nchan_is_missing {
            text += "\nnchan is not installed, so its rows are missing: `apt-get install nginx \
                     libnginx-mod-nchan`\n";
        }
        for failure in &self.failures {
            let _ = writeln!(text, "\n**FAILED** {failure}");
        }
        text
    }

    /// Returns the rows that compare the bridge with the other sides of its cell.
    fn aims(&self, bridge: &Row) -> String {
        let mut text = String::new();
        let mut aim = |figure: &str, value: f64, limit: f64| {
            let met = if value <= limit { "yes" } else { "**no**" };
            let cell = &bridge.cell;
            let _ = writeln!(
                text,
                "| {cell} | {figure} | {value:.2} | ≤ {limit} | {met} |"
            );
        };
        let result = bridge.result;
        for (side, limit) in [("nchan", 0.35), ("bare", 1.5), ("before", 1.0)] {
            let mut rows = self.rows.iter();
            let other = rows.find(|row| row.cell == bridge.cell && row.side == side);
            if let Some(other) = other {
                let ratio = cpu_ratio(result.flow_cpu, other.result.flow_cpu);
                aim(&format!("CPU for events ÷ {side}"), ratio, limit);
            }
        }
        aim("p99, in seconds", result.p99.as_secs_f64(), 0.25);
        aim("KB a stream", result.kilobytes_per_stream, 12.0);
        let opened = result.opened_within.as_secs_f64();
        aim("all open, in seconds", opened, 4.0);
        text
    }

    /// A lost event or a cell without results is a failure. A missed aim is not: it may be due to
    /// the machine.
    pub(crate) fn exit_code(&self) -> ExitCode {
        let has_lost = self.rows.iter().any(|row| row.result.lost > 0);
        ExitCode::from(u8::from(has_lost || !self.failures.is_empty()))
    }
}

fn cpu_ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64().max(0.01)
}
