//! The configuration of the PBXes, and of the bridge for each of them.

use std::fmt::Write as _;

use crate::Result;

/// The credentials of the bridge's user, as request parameters.
pub(crate) const CREDENTIALS: &str = "username=bench&password=bench-password";

/// The small PBX's queue to which the benchmark adds members, and these members.
pub(crate) const SMALL_QUEUE: u32 = 6001;
pub(crate) const SMALL_AGENTS: [u32; 4] = [1001, 1002, 1003, 1004];

/// A user of the same organization as the benchmark's other user, as request parameters.
pub(crate) const OTHER_CREDENTIALS: &str = "username=other&password=bench-password";

/// A user who is limited to ten queues, and one who is limited to the first agent, as request
/// parameters.
pub(crate) const LIMITED_CREDENTIALS: &str = "username=limited&password=bench-password";
pub(crate) const AGENT_CREDENTIALS: &str = "username=agent&password=bench-password";

const FIRST_QUEUE: u32 = 7000;
const FIRST_AGENT: u32 = 20000;

/// Queues with static members.
#[derive(Clone, Copy)]
pub(crate) struct StaticQueues {
    pub(crate) queues: u32,
    /// The number of members in each queue.
    pub(crate) members: u32,
    /// The number of interfaces, over which the memberships are distributed.
    interfaces: u32,
}

/// A PBX with one organization.
pub(crate) struct PbxConfig {
    pub(crate) name: &'static str,
    prefix: &'static str,
    agents: &'static str,
    /// The queues of the PBX; `None` for those of the sample.
    pub(crate) static_queues: Option<StaticQueues>,
}

impl PbxConfig {
    /// Returns a PBX with the few queues of the sample. The benchmark adds four dynamic members to
    /// one of them.
    pub(crate) fn small() -> Self {
        Self {
            name: "small",
            prefix: "acme",
            agents: "1001-1099",
            static_queues: None,
        }
    }

    /// Returns a PBX with 500 queues of 100 static members each. Each interface is a member of ten
    /// queues.
    pub(crate) fn large() -> Self {
        Self::queues_of_100("large", 500)
    }

    /// Returns a PBX with queues of 100 static members each. Each interface is a member of ten
    /// queues.
    pub(crate) fn queues_of_100(name: &'static str, queues: u32) -> Self {
        let static_queues = StaticQueues {
            queues,
            members: 100,
            interfaces: queues * 10,
        };
        Self::with_static_queues(name, static_queues)
    }

    /// Returns a PBX with 20 queues that have the same static members.
    pub(crate) fn equal_queues(name: &'static str, members: u32) -> Self {
        let static_queues = StaticQueues {
            queues: 20,
            members,
            interfaces: members,
        };
        Self::with_static_queues(name, static_queues)
    }

    fn with_static_queues(name: &'static str, static_queues: StaticQueues) -> Self {
        Self {
            name,
            prefix: "big",
            agents: "20000-24999",
            static_queues: Some(static_queues),
        }
    }

    /// Returns the queue that the cells read, and in which they change members.
    pub(crate) fn queue(&self) -> u32 {
        self.static_queues.map_or(SMALL_QUEUE, |_| FIRST_QUEUE)
    }

    /// Returns the members of that queue that the cells change.
    pub(crate) fn agents(&self) -> Vec<u32> {
        match self.static_queues {
            Some(StaticQueues { members, .. }) => (FIRST_AGENT..FIRST_AGENT + members).collect(),
            None => SMALL_AGENTS.to_vec(),
        }
    }

    /// Returns a queue's name on the PBX.
    pub(crate) fn queue_name(&self, queue: u32) -> String {
        format!("{}-{queue}", self.prefix)
    }

    pub(crate) fn interface(agent: u32) -> String {
        format!("Local/{agent}@acme-agents")
    }

    /// Returns the files that replace the sample's files, except those in [`crate::pbx`].
    pub(crate) fn files(&self, sample: impl Fn(&str) -> Result<String>) -> Result<Files> {
        let Some(static_queues) = self.static_queues else {
            return Ok(Vec::new());
        };
        let queues = sample("queues.conf")?;
        let (general, _) = queues
            .split_once("[acme-6001]")
            .ok_or("the sample's queues.conf has no acme-6001")?;
        let extensions = sample("extensions.conf")?;
        let mut agents = String::from("[acme-agents]\n");
        agents += "exten => _2XXXX,1,Answer()\n same => n,Wait(3600)\n";
        Ok(vec![
            ("queues.conf", self.queues_conf(general, static_queues)?),
            // Without these extensions, the members' devices would be invalid.
            (
                "extensions.conf",
                extensions.replacen("[acme-agents]\n", &agents, 1),
            ),
        ])
    }

    fn queues_conf(&self, general: &str, static_queues: StaticQueues) -> Result<String> {
        let StaticQueues {
            queues,
            members,
            interfaces,
        } = static_queues;
        let mut text = general.to_owned();
        for number in 0..queues {
            let queue = self.queue_name(FIRST_QUEUE + number);
            writeln!(text, "[{queue}](agents)\nstrategy = leastrecent")?;
            for member in 0..members {
                let agent = FIRST_AGENT + (number * members + member) % interfaces;
                let interface = Self::interface(agent);
                writeln!(text, "member => {interface},0,Agent {agent}")?;
            }
        }
        Ok(text)
    }

    /// Returns the bridge's configuration: the defaults, except for the ports.
    pub(crate) fn bridge_config(&self, ami_port: u16) -> String {
        let (prefix, agents) = (self.prefix, self.agents);
        let first_agent = self.agents()[0];
        format!(
            r#"
[http]
listen = "127.0.0.1:0"

[admin]
listen = "127.0.0.1:0"

[log]
level = "info"
format = "json"

[pbx.main]
address = "127.0.0.1:{ami_port}"
username = "queuebridge"
secret = "sample-secret-change-me"

[organization.bench]
queues = ["*"]
queue_name = "{prefix}-{{queue}}"
agents = ["{agents}"]
interface = "Local/{{agent}}@acme-agents"

[[organization.bench.user]]
username = "bench"
password = "bench-password"

[[organization.bench.user]]
username = "other"
password = "bench-password"

[[organization.bench.user]]
username = "limited"
password = "bench-password"
queues = ["700*"]

[[organization.bench.user]]
username = "agent"
password = "bench-password"
agents = ["{first_agent}"]
"#
        )
    }
}

/// File names and their content.
pub(crate) type Files = Vec<(&'static str, String)>;
