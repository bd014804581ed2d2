//! A real Asterisk, and the bridge's configuration for it.

use std::fmt::Write as _;
use std::net::TcpListener;

use crate::Result;
use crate::asterisk::{Asterisk, sample_file};

/// The AMI user who makes the changes.
pub(crate) const USER: &str = "bench";
pub(crate) const SECRET: &str = "bench-secret";

/// The number of the first queue, and of the first agent.
pub(crate) const FIRST_QUEUE: usize = 7000;
const FIRST_AGENT: usize = 20000;

/// The number of members in each queue.
pub(crate) const MEMBERS: usize = 10;

/// A running Asterisk.
pub(crate) struct Pbx {
    _asterisk: Asterisk,
    pub(crate) ami_port: u16,
}

pub(crate) fn queue_name(queue: usize) -> String {
    format!("big-{}", FIRST_QUEUE + queue)
}

/// Returns a member's interface.
pub(crate) fn interface(queue: usize, member: usize) -> String {
    format!(
        "Local/{}@acme-agents",
        FIRST_AGENT + queue * MEMBERS + member
    )
}

impl Pbx {
    /// Starts an Asterisk with this number of queues.
    pub(crate) fn start(version: u32, queues: usize) -> Result<Self> {
        let ami_port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let manager = sample_file("manager.conf")?
            + &format!("\n[{USER}]\nsecret = {SECRET}\nread = agent\nwrite = agent\n");
        let sample_queues = sample_file("queues.conf")?;
        let (general, _) = sample_queues
            .split_once("[acme-6001]")
            .ok_or("the sample's queues.conf has no acme-6001")?;
        let mut queues_conf = general.to_owned();
        for queue in 0..queues {
            writeln!(queues_conf, "[{}](agents)", queue_name(queue))?;
            for member in 0..MEMBERS {
                let interface = interface(queue, member);
                writeln!(queues_conf, "member => {interface},0,Agent {member}")?;
            }
        }
        let agents = "[acme-agents]\nexten => _2XXXX,1,Answer()\n same => n,Wait(3600)\n";
        let extensions = sample_file("extensions.conf")?.replacen("[acme-agents]\n", agents, 1);
        let files = [
            ("manager.conf", manager),
            ("queues.conf", queues_conf),
            ("extensions.conf", extensions),
        ];
        let name = format!("fanout-{}-{queues}", std::process::id());
        Ok(Self {
            _asterisk: Asterisk::start(version, name, ami_port, &files, &[])?,
            ami_port,
        })
    }
}

/// Returns the bridge's configuration: the defaults, except for the ports and the number of
/// connections, and without resyncs: on a busy machine, a list can overtake the events before it, and
/// a stream then shows the last change first. Organization `n` has the queues in `organizations[n]`.
pub(crate) fn bridge_config(ami_port: u16, organizations: &[Vec<usize>]) -> String {
    let mut text = format!(
        r#"
[http]
listen = "127.0.0.1:0"
max_connections = 12000

[admin]
listen = "127.0.0.1:0"

[log]
level = "info"
format = "json"

[pbx.main]
address = "127.0.0.1:{ami_port}"
username = "queuebridge"
secret = "sample-secret-change-me"
resync_interval = "1h"
"#
    );
    for (number, queues) in organizations.iter().enumerate() {
        let queues: Vec<_> = queues
            .iter()
            .map(|queue| format!("\"{}\"", FIRST_QUEUE + queue))
            .collect();
        let queues = queues.join(", ");
        text += &format!(
            r#"
[organization.o{number}]
queues = [{queues}]
queue_name = "big-{{queue}}"
agents = ["20000-29999"]
interface = "Local/{{agent}}@acme-agents"
shared = true

[[organization.o{number}.user]]
username = "u{number}"
password = "bench-password"
"#
        );
    }
    text
}
