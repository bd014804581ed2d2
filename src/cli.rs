//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// A simple HTTP interface to Asterisk call queues.
#[derive(Debug, Parser)]
#[command(version, about, long_about = None)]
pub struct Cli {
    /// What to do; without it: run
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Configuration file [environment: AMI_BRIDGE_CONFIG; default:
    /// ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What the program can do.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Command {
    /// Run the daemon (the default)
    Run,
    /// Check the configuration, and each PBX as the daemon would use it
    Check,
    /// Read a password and print its password_hash
    HashPassword,
}
