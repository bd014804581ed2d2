//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::distribution::ASTERISK_FOLDER;

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
#[derive(Debug, Clone, Subcommand)]
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
    /// Make a working configuration from the PBX's queues, asking only what it can't find out
    Setup(Box<SetupArguments>),
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

/// The arguments of `setup`. Each answers a question in advance.
#[derive(Debug, Clone, Default, Args)]
pub struct SetupArguments {
    /// Address and port of the PBX's AMI [default: what manager.conf says, else 127.0.0.1:5038]
    #[arg(long, value_name = "ADDRESS")]
    pub pbx: Option<String>,
    /// Asterisk's configuration folder
    #[arg(long, value_name = "DIR", default_value = ASTERISK_FOLDER)]
    pub asterisk_etc: PathBuf,
    /// Name of the AMI user, which is created if it does not exist [default: queuebridge]
    #[arg(long, value_name = "NAME")]
    pub ami_username: Option<String>,
    /// File with the secret of an AMI user that exists. Nothing is written on the Asterisk side
    #[arg(long, value_name = "FILE")]
    pub ami_secret_file: Option<PathBuf>,
    /// Print the lines for the AMI user, and write nothing on the Asterisk side. If the output is
    /// no terminal, the lines go to a file that only this user can read
    #[arg(long)]
    pub print_ami_user: bool,
    /// Name of the organization. Of several, separated by commas, each has the queues whose names
    /// begin with its name
    #[arg(long, value_name = "NAME")]
    pub organization: Option<String>,
    /// The organization's queue numbers, such as 6001,60*
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    pub queues: Option<Vec<String>>,
    /// The agents' phone numbers, such as 1001-1099,2*
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    pub agents: Option<Vec<String>>,
    /// Template of the queues' names on the PBX, such as acme-{queue}
    #[arg(long, value_name = "TEMPLATE")]
    pub queue_name: Option<String>,
    /// Template of the interface that Asterisk dials, such as PJSIP/{agent}
    #[arg(long, value_name = "TEMPLATE")]
    pub interface: Option<String>,
    /// Template of the device whose state Asterisk watches, such as hint:{agent}@ext-local
    #[arg(long, value_name = "TEMPLATE")]
    pub state_interface: Option<String>,
    /// Let organizations that have agents or queues in common both act on them
    #[arg(long)]
    pub shared: bool,
    /// Name that the user logs in with [default: the organization's name]
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// File with the user's password [default: setup makes a password and shows it once]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Address and port of the API; port 0 stands for a free one [default: 127.0.0.1:8088, or the
    /// next free port]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Folder for the configuration
    #[arg(long, value_name = "DIR", default_value = "/etc/ami-bridge")]
    pub directory: PathBuf,
    /// Enable and start the systemd unit
    #[arg(long)]
    pub start: bool,
    /// Ask nothing. What is still unknown is an error that names the flag
    #[arg(long)]
    pub yes: bool,
    /// Print the files, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl SetupArguments {
    /// Returns the name of the AMI user.
    #[must_use]
    pub fn ami_username(&self) -> &str {
        self.ami_username.as_deref().unwrap_or("queuebridge")
    }
}
