//! The table of results.

use std::fmt::Write as _;
use std::process::ExitCode;

/// The bounds of a result: first the required one (must), then the desired one (aim).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtLeast(Option<f64>, Option<f64>),
    AtMost(Option<f64>, Option<f64>),
}

/// The result of a cell, with its unit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Quantity {
    /// The value of one side divided by that of another.
    Ratio(f64),
    /// Requests a second.
    Rate(f64),
    Microseconds(f64),
    Milliseconds(f64),
    Megabytes(f64),
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) cell: String,
    pub(crate) bridge: String,
    pub(crate) rawman: String,
    pub(crate) bare: String,
    pub(crate) result: Quantity,
    pub(crate) target: Target,
}

#[derive(Default)]
pub(crate) struct Report {
    pub(crate) machine: String,
    pub(crate) asterisk: String,
    pub(crate) rows: Vec<Row>,
    failures: Vec<String>,
}

impl Quantity {
    fn value(self) -> f64 {
        match self {
            Self::Ratio(value)
            | Self::Rate(value)
            | Self::Microseconds(value)
            | Self::Milliseconds(value)
            | Self::Megabytes(value) => value,
        }
    }

    fn ratio(self) -> String {
        match self {
            Self::Ratio(value) => format!("{value:.2}"),
            _ => "–".to_owned(),
        }
    }

    fn with_unit(self, number: f64) -> String {
        match self {
            Self::Ratio(_) => format!("{number}"),
            Self::Rate(_) => format!("{number}/s"),
            Self::Microseconds(_) => format!("{number} µs"),
            Self::Milliseconds(_) => format!("{number} ms"),
            Self::Megabytes(_) => format!("{number} MB"),
        }
    }
}

impl Row {
    fn bounds(&self) -> (&'static str, Option<f64>, Option<f64>) {
        match self.target {
            Target::AtLeast(must, aim) => ("≥", must, aim),
            Target::AtMost(must, aim) => ("≤", must, aim),
        }
    }

    fn holds(&self, bound: f64) -> bool {
        match self.target {
            Target::AtLeast(..) => self.result.value() >= bound,
            Target::AtMost(..) => self.result.value() <= bound,
        }
    }

    /// Returns true if the result misses the required bound.
    fn misses(&self) -> bool {
        let (_, must, _) = self.bounds();
        must.is_some_and(|must| !self.holds(must))
    }

    /// Returns the text for the column "met?".
    fn met(&self) -> &'static str {
        let (_, must, aim) = self.bounds();
        match (must, aim) {
            _ if self.misses() => "**MISSED**",
            (_, Some(aim)) if self.holds(aim) => "aim",
            (Some(_), _) => "must",
            (None, Some(_)) => "not yet",
            (None, None) => "–",
        }
    }

    fn markdown(&self) -> String {
        let (sign, must, aim) = self.bounds();
        let text = |bound: Option<f64>| match bound {
            Some(bound) => format!("{sign} {}", self.result.with_unit(bound)),
            None => "–".to_owned(),
        };
        let columns = [
            self.cell.clone(),
            self.bridge.clone(),
            self.rawman.clone(),
            self.bare.clone(),
            self.result.ratio(),
            text(must),
            text(aim),
            self.met().to_owned(),
        ];
        format!("| {} |", columns.join(" | "))
    }
}

impl Report {
    /// Adds a cell with wrong responses, or one that could not be measured.
    pub(crate) fn fail(&mut self, cell: &str, error: &(dyn std::error::Error + Send + Sync)) {
        let failure = format!("{cell}: {error}");
        eprintln!("FAILED: {failure}");
        self.failures.push(failure);
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("\n{}, {}\n\n", self.machine, self.asterisk);
        text += "| cell | bridge | rawman | bare | ratio | must | aim | met? |\n";
        text += "|---|---|---|---|---|---|---|---|\n";
        for row in &self.rows {
            text += &row.markdown();
            text.push('\n');
        }
        text.push('\n');
        for failure in &self.failures {
            let _ = writeln!(text, "**FAILED** {failure}\n");
        }
        text
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        let missed = self.rows.iter().any(Row::misses);
        ExitCode::from(u8::from(missed || !self.failures.is_empty()))
    }
}
