//! A PBX, and the ways to ask it: the bridge, `/rawman`, and bare AMI.
//!
//! The bridge runs only while it is measured. Were it linked all the time,
//! Asterisk would hand it the events of what the other sides change, and so be
//! slower with them; `--linked` shows by how much.

use std::time::Duration;

use crate::Result;
use crate::ami::Ami;
use crate::bridge::{self, Bridge};
use crate::options::Options;
use crate::pbx::Pbx;
use crate::plan::{CREDENTIALS, Plan};
use crate::rawman::{self, Rawman};
use crate::wrk::Requests;

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) pbx: Pbx,
    linked: bool,
    pub(crate) rounds: usize,
    pub(crate) round: Duration,
    pub(crate) long_round: Duration,
}

/// A change of one member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) agent: u32,
    pub(crate) paused: bool,
}

/// What is changed says why; Asterisk keeps it.
pub(crate) const REASON: &str = "Lunch";

impl World {
    pub(crate) fn start(plan: Plan, options: &Options) -> Result<Self> {
        let pbx = Pbx::start(options, &plan)?;
        let world = Self {
            plan,
            pbx,
            linked: options.linked,
            rounds: options.rounds(),
            round: options.round(),
            long_round: options.long_round(),
        };
        world.populate()?;
        Ok(world)
    }

    /// Four dynamic members of the small PBX; and on both one who is paused.
    fn populate(&self) -> Result<()> {
        let mut ami = Ami::login(self.pbx.ami_port)?;
        let agents = self.plan.agents();
        let queue = self.plan.queue_name(self.plan.queue());
        if self.plan.name == "small" {
            for agent in &agents {
                let interface = Plan::interface(*agent);
                let answer = ami.action(&format!(
                    "Action: QueueAdd\r\nQueue: {queue}\r\nInterface: {interface}\r\n\
                     MemberName: Agent {agent}\r\n\r\n"
                ))?;
                if !answer.contains("Success") {
                    return Err(format!("QueueAdd: {answer}").into());
                }
            }
        }
        let first = Change {
            agent: agents[0],
            paused: true,
        };
        let answer = ami.action(&self.bare_change(first))?;
        if !answer.contains("Success") {
            return Err(format!("QueuePause: {answer}").into());
        }
        self.pbx.settle()
    }

    /// A bridge that is ready.
    pub(crate) fn bridge(&self) -> Result<Bridge> {
        let bridge = Bridge::start(&self.plan.bridge(self.pbx.ami_port))?;
        bridge.wait_ready()?;
        self.pbx.settle()?;
        Ok(bridge)
    }

    /// A bridge that only listens to Asterisk, where that was asked for.
    pub(crate) fn bystander(&self) -> Result<Option<Bridge>> {
        self.linked.then(|| self.bridge()).transpose()
    }

    pub(crate) fn rawman(&self) -> Result<Rawman> {
        Rawman::login(self.pbx.http)
    }

    /// Everyone of a queue, paused and unpaused.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let agents = self.plan.agents().into_iter();
        let both = |agent| [true, false].map(|paused| Change { agent, paused });
        agents.flat_map(both).collect()
    }

    pub(crate) fn bare_change(&self, change: Change) -> String {
        let Change { agent, paused } = change;
        let queue = self.plan.queue_name(self.plan.queue());
        let interface = Plan::interface(agent);
        format!(
            "Action: QueuePause\r\nQueue: {queue}\r\nInterface: {interface}\r\n\
             Paused: {paused}\r\nReason: {REASON}\r\n\r\n"
        )
    }

    pub(crate) fn bridge_change(&self, change: Change) -> String {
        let action = if change.paused { "pause" } else { "unpause" };
        let (agent, queue) = (change.agent, self.plan.queue());
        let rest = format!("action={action}&agent={agent}&queue={queue}&reason={REASON}");
        format!("{}?{CREDENTIALS}&{rest}", bridge::PATH)
    }

    pub(crate) fn rawman_change(&self, change: Change) -> String {
        let Change { agent, paused } = change;
        let queue = self.plan.queue_name(self.plan.queue());
        let interface = Plan::interface(agent);
        format!(
            "{}?action=QueuePause&Queue={queue}&Interface={interface}\
             &Paused={paused}&Reason={REASON}",
            rawman::PATH
        )
    }
}

/// What is read: one queue, or all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    pub(crate) all: bool,
    pub(crate) fresh: bool,
}

impl World {
    pub(crate) fn bare_read(&self, read: Read) -> String {
        if read.all {
            return String::new();
        }
        format!("Queue: {}\r\n", self.plan.queue_name(self.plan.queue()))
    }

    pub(crate) fn bridge_read(&self, read: Read) -> String {
        let mut target = format!("{}?{CREDENTIALS}&action=showqueue", bridge::PATH);
        if !read.all {
            target += &format!("&queue={}", self.plan.queue());
        }
        if read.fresh {
            target += "&fresh=1";
        }
        target
    }

    pub(crate) fn rawman_read(&self, read: Read) -> String {
        let mut target = format!("{}?action=QueueStatus", rawman::PATH);
        if !read.all {
            target += &format!("&Queue={}", self.plan.queue_name(self.plan.queue()));
        }
        target
    }
}

/// What is asked of the bridge.
pub(crate) fn to_bridge(bridge: &Bridge, targets: Vec<String>) -> Requests {
    Requests {
        address: bridge.address,
        targets,
        header: String::new(),
    }
}

/// What is asked of `/rawman`, with one session, as a script would. Asterisk works
/// on several requests of a session at once; more sessions are not faster.
pub(crate) fn to_rawman(rawman: &Rawman, targets: Vec<String>) -> Requests {
    Requests {
        address: rawman.address,
        targets,
        header: rawman.cookie.clone(),
    }
}
