//! Command-line options.

use std::time::Duration;

/// Compares the bridge with Asterisk's own HTTP interface and with a bare AMI client.
#[derive(Debug, clap::Parser)]
pub(crate) struct Options {
    /// Run fewer and shorter rounds: less than three minutes, but less accurate.
    #[arg(long)]
    pub(crate) quick: bool,
    /// The Asterisk version: 16 or 22.
    #[arg(long, default_value_t = 22)]
    pub(crate) asterisk: u32,
    /// Keep a bridge connected while the other sides are measured, so that Asterisk sends it the
    /// events of their changes.
    #[arg(long)]
    pub(crate) linked: bool,
    /// Leave Asterisk's /tmp on the disk. On ext4, its HTTP interface then loses most of its speed.
    #[arg(long)]
    pub(crate) disk_tmp: bool,
    /// Measure the bridge's processor time for each action on PBXes of three sizes instead.
    #[arg(long)]
    pub(crate) costs: bool,
    /// Run only the cells whose name contains this text.
    filter: Option<String>,
    /// Set by cargo bench.
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

impl Options {
    pub(crate) fn selects(&self, cell: &str) -> bool {
        let filter = self.filter.as_deref();
        filter.is_none_or(|filter| cell.contains(filter))
    }

    /// The number of rounds. Each side has one turn per round.
    pub(crate) fn rounds(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// The duration of a turn.
    pub(crate) fn turn_duration(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { 3 })
    }

    /// The duration of a turn with 20 changes a second. It is longer, so that there are enough
    /// changes for a 99th percentile.
    pub(crate) fn steady_turn_duration(&self) -> Duration {
        Duration::from_secs(if self.quick { 4 } else { 12 })
    }

    /// The time limit of the whole run.
    pub(crate) fn time_limit(&self) -> Duration {
        Duration::from_secs(if self.quick { 175 } else { 710 })
    }
}
