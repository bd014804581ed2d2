//! A PBX with two organizations, and accounts with different limits.

use std::collections::BTreeMap;

use ami_bridge::organizations::TokenHash;

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

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    Password,
    Token,
    ExpiredToken,
    /// A new ticket for each request.
    Ticket,
}

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asker {
    /// The user name, or the token's name.
    pub(super) name: &'static str,
    pub(super) login: Login,
    pub(super) has_agent_limit: bool,
    pub(super) has_queue_limit: bool,
}

const PASSWORD: &str = "sample-password";

const fn user(name: &'static str, has_agent_limit: bool, has_queue_limit: bool) -> Asker {
    Asker {
        name,
        login: Login::Password,
        has_agent_limit,
        has_queue_limit,
    }
}

/// An account that is limited to agents and to queues.
const fn limited(name: &'static str, login: Login) -> Asker {
    Asker {
        name,
        login,
        has_agent_limit: true,
        has_queue_limit: true,
    }
}

pub(super) const LIMITED_USER: Asker = limited("both", Login::Password);

pub(super) const ASKERS: [Asker; 7] = [
    user("everything", false, false),
    user("agents", true, false),
    user("queues", false, true),
    LIMITED_USER,
    limited("program", Login::Token),
    limited("old-program", Login::ExpiredToken),
    limited("ticket-user", Login::Ticket),
];

impl Asker {
    /// Returns whether the account may use such agents.
    pub(super) fn reaches_agent(&self, whose: Whose) -> bool {
        whose == Whose::Own || whose == Whose::Others && !self.has_agent_limit
    }

    /// Returns whether the account may use such queues.
    pub(super) fn reaches_queue(&self, whose: Whose) -> bool {
        whose == Whose::Own || whose == Whose::Others && !self.has_queue_limit
    }

    /// Returns the outcome that the login demands before any other check, if it is a refusal.
    pub(super) fn refusal(&self, usage: &Usage) -> Option<&'static str> {
        match self.login {
            Login::ExpiredToken => Some("401 unauthorized"),
            // Tickets open only event streams.
            Login::Ticket if !usage.is_stream() => Some("400 unknown_parameter"),
            _ => None,
        }
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

    fn token(&self) -> String {
        format!("amib_{}", self.name)
    }

    fn configuration(&self) -> String {
        let agents = if self.has_agent_limit { "\"1001\"" } else { "" };
        let queues = if self.has_queue_limit { "\"6001\"" } else { "" };
        let name = self.name;
        let expires = match self.login {
            Login::ExpiredToken => "expires = \"2026-01-01T00:00:00Z\"\n",
            _ => "",
        };
        let login = match self.login {
            Login::Password | Login::Ticket => format!(
                "[[organization.acme.user]]\nusername = \"{name}\"\npassword = \"{PASSWORD}\""
            ),
            Login::Token | Login::ExpiredToken => format!(
                "[[organization.acme.token]]\nname = \"{name}\"\ntoken_hash = \"{}\"",
                TokenHash::of(&self.token())
            ),
        };
        format!("{login}\n{expires}agents = [{agents}]\nqueues = [{queues}]\n")
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
            ASKERS.iter().map(Asker::configuration).collect(),
            globex.replace("1001-1099", "2001-2099"),
            // Expired tokens fail often.
            "[lockout]\nattempts = 10000\n".to_owned(),
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
        let password = format!("&username={}&password={PASSWORD}", asker.name);
        let bearer = format!("Bearer {}", asker.token());
        let mut headers = vec![("X-Request-Id", request_id)];
        let mut credentials = String::new();
        match asker.login {
            Login::Password => credentials = password,
            Login::Token | Login::ExpiredToken => headers.push(("Authorization", &bearer)),
            Login::Ticket if usage.is_stream() => {
                let target = format!("/events/ticket?{password}");
                let response = request(self.bridge.address, "POST", &target, &[], b"").json();
                let ticket = response["ticket"].as_str().expect("a ticket");
                credentials = format!("&ticket={ticket}");
            }
            Login::Ticket => "&ticket=unused".clone_into(&mut credentials),
        }
        let target = usage.target(&format!("{parameters}{credentials}"));
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
