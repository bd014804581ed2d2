//! A PBX, and the requests of the three sides: the bridge, `/rawman`, and bare AMI.
//!
//! The bridge runs only while it is measured. If it were always connected, Asterisk would also send
//! it the events for the other sides' changes, which would slow those sides down. `--linked` shows
//! by how much.

use std::time::Duration;

use crate::Result;
use crate::ami::Ami;
use crate::bridge::{self, Bridge};
use crate::options::Options;
use crate::pbx::Pbx;
use crate::pbx_config::{CREDENTIALS, PbxConfig};
use crate::rawman::{self, Rawman};
use crate::wrk::Requests;

pub(crate) struct TestBed {
    pub(crate) config: PbxConfig,
    pub(crate) pbx: Pbx,
    linked: bool,
    pub(crate) rounds: usize,
    pub(crate) turn_duration: Duration,
    pub(crate) steady_turn_duration: Duration,
}

/// A pause or an unpause of one member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) agent: u32,
    pub(crate) paused: bool,
}

/// The reason for each pause.
pub(crate) const REASON: &str = "Lunch";

impl TestBed {
    pub(crate) fn start(config: PbxConfig, options: &Options) -> Result<Self> {
        let pbx = Pbx::start(options, &config)?;
        let bed = Self {
            config,
            pbx,
            linked: options.linked,
            rounds: options.rounds(),
            turn_duration: options.turn_duration(),
            steady_turn_duration: options.steady_turn_duration(),
        };
        bed.populate()?;
        Ok(bed)
    }

    /// Adds four dynamic members to the small PBX, and pauses one member on either PBX.
    fn populate(&self) -> Result<()> {
        let mut ami = Ami::login(self.pbx.ami_port)?;
        let agents = self.config.agents();
        let queue = self.config.queue_name(self.config.queue());
        if self.config.name == "small" {
            for agent in &agents {
                let interface = PbxConfig::interface(*agent);
                let reply = ami.action(&format!(
                    "Action: QueueAdd\r\nQueue: {queue}\r\nInterface: {interface}\r\n\
                     MemberName: Agent {agent}\r\n\r\n"
                ))?;
                if !reply.contains("Success") {
                    return Err(format!("QueueAdd: {reply}").into());
                }
            }
        }
        let first = Change {
            agent: agents[0],
            paused: true,
        };
        let reply = ami.action(&self.bare_change(first))?;
        if !reply.contains("Success") {
            return Err(format!("QueuePause: {reply}").into());
        }
        self.pbx.wait_until_idle()
    }

    /// Starts a bridge and waits until it is ready.
    pub(crate) fn start_bridge(&self) -> Result<Bridge> {
        let bridge = Bridge::start(&self.config.bridge_config(self.pbx.ami_port))?;
        bridge.wait_ready()?;
        self.pbx.wait_until_idle()?;
        Ok(bridge)
    }

    /// With `--linked`, starts a bridge that only receives events.
    pub(crate) fn idle_bridge(&self) -> Result<Option<Bridge>> {
        self.linked.then(|| self.start_bridge()).transpose()
    }

    pub(crate) fn login_to_rawman(&self) -> Result<Rawman> {
        Rawman::login(self.pbx.http)
    }

    /// Returns a pause and an unpause for each member of the queue.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let agents = self.config.agents().into_iter();
        let both = |agent| [true, false].map(|paused| Change { agent, paused });
        agents.flat_map(both).collect()
    }

    pub(crate) fn bare_change(&self, change: Change) -> String {
        let Change { agent, paused } = change;
        let queue = self.config.queue_name(self.config.queue());
        let interface = PbxConfig::interface(agent);
        format!(
            "Action: QueuePause\r\nQueue: {queue}\r\nInterface: {interface}\r\n\
             Paused: {paused}\r\nReason: {REASON}\r\n\r\n"
        )
    }

    pub(crate) fn bridge_change(&self, change: Change) -> String {
        let action = if change.paused { "pause" } else { "unpause" };
        let (agent, queue) = (change.agent, self.config.queue());
        let query = format!("action={action}&agent={agent}&queue={queue}&reason={REASON}");
        format!("{}?{CREDENTIALS}&{query}", bridge::PATH)
    }

    pub(crate) fn rawman_change(&self, change: Change) -> String {
        let Change { agent, paused } = change;
        let queue = self.config.queue_name(self.config.queue());
        let interface = PbxConfig::interface(agent);
        format!(
            "{}?action=QueuePause&Queue={queue}&Interface={interface}\
             &Paused={paused}&Reason={REASON}",
            rawman::PATH
        )
    }
}

/// A read of one queue, or of all queues.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    pub(crate) all: bool,
    pub(crate) fresh: bool,
}

impl TestBed {
    pub(crate) fn bare_read(&self, read: Read) -> String {
        if read.all {
            return String::new();
        }
        format!("Queue: {}\r\n", self.config.queue_name(self.config.queue()))
    }

    pub(crate) fn bridge_read(&self, read: Read) -> String {
        let mut target = format!("{}?{CREDENTIALS}&action=showqueue", bridge::PATH);
        if !read.all {
            target += &format!("&queue={}", self.config.queue());
        }
        if read.fresh {
            target += "&fresh=1";
        }
        target
    }

    pub(crate) fn rawman_read(&self, read: Read) -> String {
        let mut target = format!("{}?action=QueueStatus", rawman::PATH);
        if !read.all {
            target += &format!("&Queue={}", self.config.queue_name(self.config.queue()));
        }
        target
    }
}

/// Creates requests to the bridge.
pub(crate) fn to_bridge(bridge: &Bridge, targets: Vec<String>) -> Requests {
    Requests {
        address: bridge.address,
        targets,
        header: String::new(),
    }
}

/// Creates requests to `/rawman` that share one session, like the requests of a script. Asterisk
/// processes a session's requests concurrently, so more sessions would not be faster.
pub(crate) fn to_rawman(rawman: &Rawman, targets: Vec<String>) -> Requests {
    Requests {
        address: rawman.address,
        targets,
        header: rawman.cookie.clone(),
    }
}
