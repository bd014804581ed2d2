//! What the command line says.

use std::time::Duration;

/// Measures the bridge beside Asterisk's own HTTP interface and a bare AMI client.
#[derive(Debug, clap::Parser)]
pub(crate) struct Options {
    /// Shorter and fewer rounds: under three minutes, and less sure.
    #[arg(long)]
    pub(crate) quick: bool,
    /// The generation of Asterisk: 16 or 22.
    #[arg(long, default_value_t = 22)]
    pub(crate) asterisk: u32,
    /// Keeps a bridge linked while the other sides are measured, so that Asterisk
    /// has to hand it the events of what they change.
    #[arg(long)]
    pub(crate) linked: bool,
    /// Leaves Asterisk's /tmp on the disk, which costs its HTTP interface most of
    /// its speed where that is ext4.
    #[arg(long)]
    pub(crate) disk_tmp: bool,
    /// Only cells whose name contains this.
    filter: Option<String>,
    /// Said by cargo bench.
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

impl Options {
    pub(crate) fn selects(&self, cell: &str) -> bool {
        let filter = self.filter.as_deref();
        filter.is_none_or(|filter| cell.contains(filter))
    }

    /// How often each side has its turn.
    pub(crate) fn rounds(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// How long a turn is.
    pub(crate) fn round(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { 3 })
    }

    /// How long a turn with 20 changes a second is: there must be enough of them
    /// to speak of a 99th percentile.
    pub(crate) fn long_round(&self) -> Duration {
        Duration::from_secs(if self.quick { 4 } else { 12 })
    }

    /// The whole run ends by then, whatever happens.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(if self.quick { 175 } else { 710 })
    }
}
