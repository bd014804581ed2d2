//! Command-line options.

use std::path::PathBuf;
use std::time::Duration;

/// Measures event streams.
#[derive(Debug, clap::Parser)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Run shorter turns, and leave out the largest cells.
    #[arg(long)]
    pub(crate) quick: bool,
    /// The Asterisk version: 16 or 22.
    #[arg(long, default_value_t = 22)]
    pub(crate) asterisk: u32,
    /// Also measure this build of the bridge, to compare it.
    #[arg(long)]
    pub(crate) before: Option<PathBuf>,
    /// Run only the cells whose name contains this text.
    #[arg(long)]
    only: Option<String>,
    /// Set by cargo bench.
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Command {
    /// The server for the bare cost, which this program starts.
    #[command(hide = true)]
    BareServer { streams: usize },
}

impl Options {
    pub(crate) fn selects(&self, cell: &str) -> bool {
        let is_small = !cell.starts_with("10,000") && !cell.starts_with("the same");
        self.only
            .as_deref()
            .map_or(!self.quick || is_small, |only| cell.contains(only))
    }

    /// How long changes are made in a turn.
    pub(crate) fn turn_duration(&self) -> Duration {
        Duration::from_secs(if self.quick { 4 } else { 12 })
    }

    /// The time limit of the whole run.
    pub(crate) fn time_limit(&self) -> Duration {
        Duration::from_secs(if self.quick { 240 } else { 900 })
    }
}
