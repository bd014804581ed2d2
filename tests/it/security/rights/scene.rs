//! A PBX with two organizations, and accounts with different limits.

use std::collections::BTreeMap;

use super::usage::Usage;
use crate::support::{
    ACME, Ami, Asterisk, Bridge, GLOBEX, Response, User, configuration_with, organization, request,
    sample_config,
};

/// To whom an agent or a queue in a request belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// Within the limits of the limited accounts.
    Own,
    /// Of the same organization, outside of the limits of the limited accounts.
    Others,
    /// Exists nowhere.
    Nobodys,
    /// Of the other organization.
    Foreign,
}

impl Whose {
    pub(super) const ALL: [Self; 4] = [Self::Own, Self::Others, Self::Nobodys, Self::Foreign];

    pub(super) fn agent(self) -> &'static str {
        match self {
            Self::Own => "1001",
            Self::Others => "1002",
            Self::Nobodys => "1998",
            Self::Foreign => "2001",
        }
    }

    pub(super) fn queue(self) -> &'static str {
        match self {
            Self::Own => "6001",
            Self::Others => "6002",
            Self::Nobodys => "6998",
            Self::Foreign => "7001",
        }
    }
}

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) user: User,
    pub(super) has_agent_limit: bool,
    pub(super) has_queue_limit: bool,
}

const fn asker(username: &'static str, has_agent_limit: bool, has_queue_limit: bool) -> Asker {
    let password = "sample-password";
    Asker {
        user: User { username, password },
        has_agent_limit,
        has_queue_limit,
    }
}

pub(super) const LIMITED_TO_BOTH: Asker = asker("both", true, true);

const ASKERS: [Asker; 4] = [
    asker("everything", false, false),
    asker("agents", true, false),
    asker("queues", false, true),
    LIMITED_TO_BOTH,
];

impl Asker {
    pub(super) fn all() -> Vec<Self> {
        ASKERS.to_vec()
    }

    /// Returns whether the account may use such agents.
    pub(super) fn reaches_agent(&self, whose: Whose) -> bool {
        whose == Whose::Own || whose == Whose::Others && !self.has_agent_limit
    }

    /// Returns whether the account may use such queues.
    pub(super) fn reaches_queue(&self, whose: Whose) -> bool {
        whose == Whose::Own || whose == Whose::Others && !self.has_queue_limit
    }

    /// Returns texts that no response to the account may contain. The account does not send them.
    pub(super) fn secrets(&self) -> Vec<&'static str> {
        let mut secrets = vec!["globex", "Gila"];
        if self.has_agent_limit {
            secrets.extend(["Noa", "Local/1002@", "Static Sam"]);
        }
        if self.has_queue_limit {
            secrets.push("acme-6002");
        }
        secrets
    }

    fn configuration(&self) -> String {
        let User { username, password } = self.user;
        let agents = if self.has_agent_limit { "\"1001\"" } else { "" };
        let queues = if self.has_queue_limit { "\"6001\"" } else { "" };
        format!(
            "[[organization.acme.user]]\nusername = \"{username}\"\npassword = \"{password}\"\n\
             agents = [{agents}]\nqueues = [{queues}]\n"
        )
    }
}

/// The members of all queues: their fields by the queue's name and the interface.
pub(super) type Members = BTreeMap<(String, String), Vec<String>>;

/// A member of [`Scene`]'s queues.
struct Membership {
    user: User,
    agent: &'static str,
    alias: &'static str,
    queue: &'static str,
}

const MEMBERSHIPS: [Membership; 6] = [
    membership(ACME, "1001", "Dana", "6001"),
    membership(ACME, "1001", "Dana", "6002"),
    membership(ACME, "1002", "Noa", "6001"),
    membership(ACME, "1002", "Noa", "6002"),
    membership(GLOBEX, "2001", "Gila", "6001"),
    membership(GLOBEX, "2001", "Gila", "7001"),
];

const fn membership(
    user: User,
    agent: &'static str,
    alias: &'static str,
    queue: &'static str,
) -> Membership {
    Membership {
        user,
        agent,
        alias,
        queue,
    }
}

/// A PBX with members in the queues of two organizations, and a bridge.
pub(super) struct Scene {
    pub(super) bridge: Bridge,
    ami: Ami,
    /// The members before any request of a test.
    pub(super) members: Members,
    // Declared last, because the bridge must stop first.
    _asterisk: Asterisk,
}

impl Scene {
    /// Starts a PBX and a bridge. `acme_queues` is the content of a TOML array.
    pub(super) fn start(version: u32, acme_queues: &str) -> Self {
        let queues = sample_config("queues.conf") + "\n[globex-7001](agents)\nstrategy=ringall\n";
        let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
        let globex = organization("globex", "\"*\"", "globex-{queue}", GLOBEX);
        let organizations = [
            organization("acme", acme_queues, "acme-{queue}", ACME),
            Asker::all().iter().map(Asker::configuration).collect(),
            globex.replace("1001-1099", "2001-2099"),
        ];
        let bridge = Bridge::start(&configuration_with(asterisk.port, &organizations));
        let mut scene = Self {
            bridge,
            ami: asterisk.ami(),
            members: Members::new(),
            _asterisk: asterisk,
        };
        for Membership {
            user,
            agent,
            alias,
            queue,
        } in &MEMBERSHIPS
        {
            let query = format!("action=add&agent={agent}&queue={queue}&alias={alias}");
            scene.bridge.get_ok(*user, &query);
        }
        scene.members = scene.current_members();
        scene
    }

    /// Returns the members of all queues, as Asterisk knows them.
    pub(super) fn current_members(&mut self) -> Members {
        let rows = self.ami.queue_status("").into_iter();
        let rows = rows.filter(|row| row["Event"] == "QueueMember");
        let members = rows.map(|row| {
            let fields = ["Name", "Membership", "Penalty", "Paused"];
            let fields = fields.map(|field| row[field].clone());
            (
                (row["Queue"].clone(), row["Location"].clone()),
                fields.to_vec(),
            )
        });
        members.collect()
    }

    /// Sends a request. `parameters` begins with `&` unless it is empty.
    pub(super) fn ask(
        &self,
        asker: &Asker,
        usage: &Usage,
        parameters: &str,
        request_id: &str,
    ) -> Response {
        let User { username, password } = asker.user;
        let credentials = format!("&username={username}&password={password}");
        let target = usage.target(&format!("{parameters}{credentials}"));
        let headers = [("X-Request-Id", request_id)];
        request(self.bridge.address, "GET", &target, &headers, b"")
    }

    /// Removes acme's agent from the queue, so that the agent can be added.
    pub(super) fn remove(&self, agent: Whose, queue: Whose) {
        let [agent, queue] = [agent.agent(), queue.queue()];
        let query = format!("action=remove&agent={agent}&queue={queue}");
        self.bridge.acme_ok(&query);
    }

    /// Undoes what requests have done to `Own` and `Others`.
    pub(super) fn restore(&mut self) {
        let current = self.current_members();
        for membership in MEMBERSHIPS.iter().filter(|member| member.user == ACME) {
            let Membership {
                agent,
                alias,
                queue,
                ..
            } = membership;
            let key = key(agent, queue);
            if current.get(&key) == self.members.get(&key) {
                continue;
            }
            let target = format!("agent={agent}&queue={queue}");
            if current.contains_key(&key) {
                self.bridge.acme_ok(&format!("action=remove&{target}"));
            }
            let query = format!("action=add&{target}&alias={alias}");
            self.bridge.acme_ok(&query);
        }
        assert_eq!(self.current_members(), self.members);
    }
}

/// Returns the key of acme's agent in [`Members`].
pub(super) fn key(agent: &str, queue: &str) -> (String, String) {
    let interface = format!("Local/{agent}@acme-agents");
    (format!("acme-{queue}"), interface)
}
