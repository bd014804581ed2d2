//! An organization's part of a PBX: its queues and its agents.

use super::natural_order::natural_order;
use super::pattern::Pattern;
use super::template::Template;
use super::wrapup::WrapupTimes;
use crate::queues::{PauseReason, ReasonCatalog, TimingRules};
use crate::time_zone::NamedZone;

/// A tenant. Its users refer to queues and agents by number; the PBX refers to them by name
/// and interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// The NAME in `[organization.NAME]`.
    pub name: String,
    /// The NAME in its PBX's `[pbx.NAME]`.
    pub pbx: String,
    /// Patterns for its queue numbers, in configured order.
    pub queues: Vec<Pattern>,
    /// Converts a queue number to the queue's name on the PBX.
    pub queue_name: Template,
    /// Patterns for its agents' phone numbers; `None` allows any number.
    pub agents: Option<Vec<Pattern>>,
    /// Converts a phone number to the interface that Asterisk dials.
    pub interface: Template,
    /// Converts a phone number to the device whose state Asterisk watches; `None` uses the
    /// interface.
    pub state_interface: Option<Template>,
    /// Whether it may share queues and interfaces with other organizations that also set
    /// `shared`.
    pub shared: bool,
    /// The pause reasons that it offers.
    pub reasons: ReasonCatalog,
    /// Whether every pause must have a reason.
    pub reason_required: bool,
    /// Whether a pause may have a reason that is not listed.
    pub other_reasons: bool,
    /// The wrap-up times of its queues.
    pub wrapup: WrapupTimes,
    /// The time zone of the days in its reports.
    pub time_zone: NamedZone,
}

impl Organization {
    /// Returns the queue number in its configured spelling, or `None` if the queue does not
    /// belong to the organization.
    #[must_use]
    pub fn canonical_number(&self, number: &str) -> Option<String> {
        let pattern = self.queues.iter().find(|p| p.matches(number))?;
        Some(match pattern {
            Pattern::Exact(exact) => exact.clone(),
            Pattern::Glob { .. } | Pattern::Range { .. } => number.to_owned(),
        })
    }

    /// Returns all queue numbers. Returns `None` if any pattern is a glob or a range, because the
    /// numbers then depend on the PBX's queues.
    #[must_use]
    pub fn exact_numbers(&self) -> Option<Vec<&str>> {
        let exact = self.queues.iter().map(|pattern| match pattern {
            Pattern::Exact(number) => Some(number.as_str()),
            Pattern::Glob { .. } | Pattern::Range { .. } => None,
        });
        exact.collect()
    }

    /// Returns the PBX's names for the queues that are configured by exact number.
    pub fn exact_names(&self) -> impl Iterator<Item = String> {
        self.queues.iter().filter_map(|pattern| match pattern {
            Pattern::Exact(number) => Some(self.queue_name.expand(number)),
            Pattern::Glob { .. } | Pattern::Range { .. } => None,
        })
    }

    /// Returns the queue number for a queue's name on the PBX, or `None` if the queue does not
    /// belong to the organization.
    #[must_use]
    pub fn queue_number(&self, name: &str) -> Option<String> {
        self.canonical_number(self.queue_name.extract(name)?)
    }

    /// Like [`Self::queue_number`], but returns the number in the spelling of `name`.
    fn own_number<'a>(&self, name: &'a str) -> Option<&'a str> {
        let number = self.queue_name.extract(name)?;
        let is_own = self.queues.iter().any(|queue| queue.matches(number));
        is_own.then_some(number)
    }

    /// Sorts items by their queue numbers, in configured order. Numbers that match the same pattern
    /// are sorted in natural order.
    #[must_use]
    pub fn sort<T>(&self, items: Vec<T>, number: impl Fn(&T) -> &str) -> Vec<T> {
        let position = |item: &T| {
            let number = number(item);
            self.queues.iter().position(|p| p.matches(number))
        };
        // Finding a position can cost more than comparing two numbers, so it is found only once.
        let items = items.into_iter().map(|item| (position(&item), item));
        let mut items: Vec<_> = items.collect();
        items.sort_by(|(a_position, a), (b_position, b)| {
            let numbers = || natural_order(number(a), number(b));
            a_position.cmp(b_position).then_with(numbers)
        });
        items.into_iter().map(|(_, item)| item).collect()
    }

    /// Returns true if the phone number belongs to the organization.
    #[must_use]
    pub fn has_agent(&self, number: &str) -> bool {
        // If Asterisk has no peer named `host`, it dials SIP/host and IAX2/host as a network
        // address, which could be any host on the network.
        let prefix = self.interface.prefix();
        let dials_hosts = ["SIP/", "IAX2/"]
            .iter()
            .any(|technology| prefix.eq_ignore_ascii_case(technology));
        if dials_hosts && number.contains('.') {
            return false;
        }
        match &self.agents {
            Some(patterns) => patterns.iter().any(|pattern| pattern.matches(number)),
            None => true,
        }
    }

    /// Returns a member's phone number, or `None` if the organization could not have added a
    /// member with this interface.
    #[must_use]
    pub fn agent_number<'a>(&self, interface: &'a str) -> Option<&'a str> {
        let number = self.interface.extract(interface)?;
        self.has_agent(number).then_some(number)
    }
}

#[cfg(test)]
impl Organization {
    /// Creates an organization whose agents are at `PJSIP/{agent}` and which lists no reasons.
    pub(crate) fn for_test(queues: &[&str], queue_name: &str) -> Self {
        let queues = queues
            .iter()
            .map(|queue| Pattern::parse_queue(queue).expect("a pattern"));
        Self {
            name: "acme".to_owned(),
            pbx: "main".to_owned(),
            queues: queues.collect(),
            queue_name: Template::new(queue_name, "queue").expect("a template"),
            agents: None,
            interface: Template::new("PJSIP/{agent}", "agent").expect("a template"),
            state_interface: None,
            shared: false,
            reasons: ReasonCatalog::default(),
            reason_required: false,
            other_reasons: true,
            wrapup: WrapupTimes::default(),
            time_zone: NamedZone::of_machine(),
        }
    }
}

impl TimingRules for Organization {
    fn organization(&self) -> &str {
        &self.name
    }

    fn has_queue(&self, queue: &str) -> bool {
        self.own_number(queue).is_some()
    }

    fn has_interface(&self, interface: &str) -> bool {
        self.agent_number(interface).is_some()
    }

    fn wrapup_seconds(&self, queue: &str) -> u64 {
        if self.wrapup.is_empty() {
            return 0;
        }
        let number = self.own_number(queue);
        number.map_or(0, |number| self.wrapup.seconds(number))
    }

    fn longest_wrapup_seconds(&self) -> u64 {
        self.wrapup.longest()
    }

    fn reason(&self, name: &str) -> Option<&PauseReason> {
        self.reasons.find(name)
    }
}
