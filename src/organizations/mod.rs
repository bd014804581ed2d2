//! Organizations: who may do what to which agents and queues.

mod credentials;
mod lockout;
mod names;
mod overlap;
mod pattern;
mod template;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

pub use credentials::{PasswordDigest, StoredPassword, TooManyLogins, Verifier};
pub use lockout::{Gate, Lockout, LockoutPolicy};
pub use names::NameProblem;
pub use overlap::{Overlap, overlaps};
pub use pattern::{MAX_AGENT, MAX_QUEUE, Pattern, is_number_char, natural_order};
pub use template::Template;

/// An organization: its part of one PBX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Name in the configuration.
    pub name: String,
    /// Name of its PBX in the configuration.
    pub pbx: String,
    /// Its queue numbers, in the order of configuration.
    pub queues: Vec<Pattern>,
    /// From a queue number to the queue's name on the PBX.
    pub queue_name: Template,
    /// Its phone numbers; `None` is any.
    pub agents: Option<Vec<Pattern>>,
    /// From a phone number to what is dialled.
    pub interface: Template,
    /// From a phone number to the device whose state counts, where that is not
    /// the interface.
    pub state_interface: Option<Template>,
    /// Whether it may reach what another organization that says so can reach.
    pub shared: bool,
}

impl Organization {
    /// The organization's own spelling of a queue number; `None` where the
    /// queue is not one of its queues.
    #[must_use]
    pub fn queue(&self, number: &str) -> Option<String> {
        canonical(&self.queues, number)
    }

    /// The queue numbers that stand in the configuration, where all do;
    /// `None` where a pattern leaves it to the PBX.
    #[must_use]
    pub fn listed_queues(&self) -> Option<Vec<&str>> {
        let exact = self.queues.iter().map(|pattern| match pattern {
            Pattern::Exact(number) => Some(number.as_str()),
            Pattern::Glob { .. } | Pattern::Range { .. } => None,
        });
        exact.collect()
    }

    /// The names on the PBX of the queues whose numbers stand in the configuration.
    pub fn listed_names(&self) -> impl Iterator<Item = String> {
        self.queues.iter().filter_map(|pattern| match pattern {
            Pattern::Exact(number) => Some(self.queue_name.expand(number)),
            Pattern::Glob { .. } | Pattern::Range { .. } => None,
        })
    }

    /// The number of a queue of the PBX, where it is one of the organization's.
    #[must_use]
    pub fn queue_number(&self, name: &str) -> Option<String> {
        self.queue(self.queue_name.extract(name)?)
    }

    /// Puts queue numbers in the order of configuration, and those of one
    /// pattern in natural order.
    #[must_use]
    pub fn queue_order(&self, a: &str, b: &str) -> std::cmp::Ordering {
        let place = |number: &str| self.queues.iter().position(|p| p.matches(number));
        place(a).cmp(&place(b)).then_with(|| natural_order(a, b))
    }

    /// Whether a phone number is one of the organization's.
    #[must_use]
    pub fn has_agent(&self, number: &str) -> bool {
        // SIP/host and IAX2/host ring whoever answers there, where no peer has
        // that name.
        let prefix = self.interface.prefix();
        let dials_hosts = ["SIP/", "IAX2/"]
            .iter()
            .any(|t| prefix.eq_ignore_ascii_case(t));
        if dials_hosts && number.contains('.') {
            return false;
        }
        match &self.agents {
            Some(patterns) => patterns.iter().any(|pattern| pattern.matches(number)),
            None => true,
        }
    }

    /// The phone number of a member, where its interface is one that the
    /// organization could have added.
    #[must_use]
    pub fn agent_number<'a>(&self, interface: &'a str) -> Option<&'a str> {
        let number = self.interface.extract(interface)?;
        self.has_agent(number).then_some(number)
    }
}

fn canonical(patterns: &[Pattern], number: &str) -> Option<String> {
    patterns
        .iter()
        .find(|pattern| pattern.matches(number))
        .map(|pattern| match pattern {
            Pattern::Exact(exact) => exact.clone(),
            Pattern::Glob { .. } | Pattern::Range { .. } => number.to_owned(),
        })
}

/// Someone who may call the interface for an organization.
#[derive(Debug, Clone)]
pub struct User {
    /// Unique over all organizations.
    pub username: String,
    /// The user's organization.
    pub organization: Arc<Organization>,
    /// The stored form of the password.
    pub password: StoredPassword,
    /// Actions that are allowed, in lower case; `None` is all.
    pub actions: Option<HashSet<String>>,
    /// Networks from which the user may come; empty is any.
    pub allow_from: Vec<IpNet>,
    /// Cancelled when the user is not in force any more.
    pub withdrawn: CancellationToken,
}

impl User {
    /// Whether the user may do that action from that address.
    #[must_use]
    pub fn may(&self, action: &str, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let allowed_action = match &self.actions {
            Some(actions) => actions.contains(action),
            None => true,
        };
        let allowed_network =
            self.allow_from.is_empty() || self.allow_from.iter().any(|net| net.contains(&address));
        allowed_action && allowed_network
    }

    /// Whether nothing of the user, or of its organization, is otherwise.
    fn is_as(&self, other: &Self) -> bool {
        self.organization == other.organization
            && self.password.is(&other.password)
            && self.actions == other.actions
            && self.allow_from == other.allow_from
    }
}

/// All organizations and their users.
#[derive(Debug, Default)]
pub struct Directory {
    organizations: Vec<Arc<Organization>>,
    users: HashMap<String, Arc<User>>,
}

impl Directory {
    /// Puts organizations and users together; of two users of one name the
    /// latter counts, so names must have been checked.
    #[must_use]
    pub fn new(organizations: Vec<Arc<Organization>>, users: Vec<User>) -> Self {
        let users = users
            .into_iter()
            .map(|user| (user.username.clone(), Arc::new(user)))
            .collect();
        Self {
            organizations,
            users,
        }
    }

    /// Keeps those users of the directory before this one that are as they were;
    /// returns the others, who are not in force any more.
    #[must_use]
    pub fn take_over(&mut self, before: &Self) -> Vec<Arc<User>> {
        let mut others = Vec::new();
        for (username, old) in &before.users {
            match self.users.get_mut(username) {
                Some(new) if new.is_as(old) => *new = Arc::clone(old),
                _ => others.push(Arc::clone(old)),
            }
        }
        others
    }

    /// The user of that name.
    #[must_use]
    pub fn user(&self, username: &str) -> Option<&Arc<User>> {
        self.users.get(username)
    }

    /// Users whose stored password is as good as the password itself, in order.
    #[must_use]
    pub fn weakly_stored(&self) -> Vec<&str> {
        let users = self.users.values();
        let weak = users.filter(|user| matches!(user.password, StoredPassword::Digest(_)));
        let mut names: Vec<&str> = weak.map(|user| user.username.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// All organizations.
    #[must_use]
    pub fn organizations(&self) -> &[Arc<Organization>] {
        &self.organizations
    }
}
