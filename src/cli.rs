//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// A simple HTTP interface to Asterisk call queues.
#[derive(Debug, Parser)]
#[command(version, about, long_about = None)]
pub struct Cli {
    /// The command (default: run)
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Configuration file [environment: AMI_BRIDGE_CONFIG; default:
    /// ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// A subcommand.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Command {
    /// Run the daemon (the default)
    Run,
    /// Check the configuration, and connect to each PBX as the daemon does
    Check {
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
        /// Set one member's penalty to its current value, to see whether Asterisk sends the event
        #[arg(long)]
        probe: bool,
    },
    /// Make a token for a program, and print it with the lines for the configuration
    CreateToken,
    /// Read a password and print its password_hash
    HashPassword,
    /// Run with a simulated PBX, without installation or configuration
    Demo {
        /// Address and port to listen on; port 0 lets the system choose
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8088")]
        listen: SocketAddr,
        /// Seed for the random behavior of the simulated callers and agents
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        seed: u64,
    },
}
