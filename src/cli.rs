//! The command line.

use std::net::SocketAddr;
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
    Check {
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
        /// Set one member's penalty to the value it has, to see whether events come
        #[arg(long)]
        probe: bool,
    },
    /// Read a password and print its password_hash
    HashPassword,
    /// Try everything on a simulated PBX; nothing to install or configure
    Demo {
        /// Address and port of the interface; port 0 lets the system choose
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8088")]
        listen: SocketAddr,
        /// What the callers and agents do follows from it
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        seed: u64,
    },
}
