//! The part of an organization that an account may use.

use super::pattern::Pattern;

/// The agents and queues to which an account is limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Patterns for phone numbers; `None` allows all of the organization's agents.
    pub agents: Option<Vec<Pattern>>,
    /// Patterns for queue numbers; `None` allows all of the organization's queues.
    pub queues: Option<Vec<Pattern>>,
    /// Whether reads of queues show the agents outside of `agents` too.
    pub sees_colleagues: bool,
}

impl Limits {
    /// Returns true if the limits include the agent's phone number.
    #[must_use]
    pub fn allows_agent(&self, number: &str) -> bool {
        allows(self.agents.as_deref(), number)
    }

    /// Returns true if the limits include the queue number.
    #[must_use]
    pub fn allows_queue(&self, number: &str) -> bool {
        allows(self.queues.as_deref(), number)
    }

    /// Returns the agent's phone number if the limits allow only one agent.
    #[must_use]
    pub fn only_agent(&self) -> Option<&str> {
        match self.agents.as_deref() {
            Some([Pattern::Exact(number)]) => Some(number),
            _ => None,
        }
    }

    /// Returns true if reads of queues hide the other agents and the callers' identities.
    #[must_use]
    pub fn hides_others(&self) -> bool {
        self.agents.is_some() && !self.sees_colleagues
    }
}

fn allows(patterns: Option<&[Pattern]>, number: &str) -> bool {
    patterns.is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(number)))
}
