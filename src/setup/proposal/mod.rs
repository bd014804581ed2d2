//! Proposes organizations from the queues and members of a PBX. Does no IO and never reads the
//! clock.
//!
//! `groups` divides the queues by the prefixes of their names, `templates` derives the
//! interface templates from the members, and `patterns` writes lists of numbers as patterns.

mod groups;
mod patterns;
#[cfg(test)]
mod properties;
mod templates;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub(super) use self::groups::{Group, separate};
use self::templates::Templates;
use crate::distribution::{Distribution, UsualTemplates};
use crate::organizations::{Pattern, Template, is_number_char};

/// A queue on the PBX.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SeenQueue {
    /// The name, as Asterisk spells it.
    pub(super) name: String,
    /// The members.
    pub(super) members: Vec<SeenMember>,
}

/// A member of a queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeenMember {
    /// The interface that Asterisk dials.
    pub(super) interface: String,
    /// The device whose state Asterisk watches; the interface if the member has no other.
    pub(super) state_interface: String,
}

/// What the operator has decided, and what the distribution suggests if there are no members.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The interface template to use, even if members differ.
    pub(super) interface: Option<String>,
    /// The template of the state interfaces to use, even if members differ.
    pub(super) state_interface: Option<String>,
    /// The templates to use if there are no members.
    pub(super) usual: Option<UsualTemplates>,
}

/// A proposed organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Proposal {
    /// Patterns for the queue numbers.
    pub(super) queues: Vec<String>,
    /// The template of the queues' names.
    pub(super) queue_name: String,
    /// Patterns for the agents' phone numbers; empty if the members do not show them.
    pub(super) agents: Vec<String>,
    /// The template of the members' interfaces; `None` if the members do not show it.
    pub(super) interface: Option<String>,
    /// The template of the state interfaces; empty if members have none.
    pub(super) state_interface: String,
    /// Number of queues that the organization has now.
    pub(super) queue_count: usize,
    /// Number of members that match the interface's template.
    pub(super) fitting: usize,
    /// The members that do not match the interface's template, as text for the operator.
    pub(super) misfits: Vec<String>,
    /// The members that match it, but have another state interface, as text for the operator.
    pub(super) other_states: Vec<String>,
    /// The numbers of the members that match the interface's template.
    numbers: BTreeSet<String>,
}

/// The queues of a PBX, divided into those that the API can name and the others.
#[derive(Debug, Default)]
pub(super) struct SeenQueues {
    /// The queues that the API can name.
    pub(super) usable: Vec<SeenQueue>,
    /// The names of the other queues.
    pub(super) unusable: Vec<String>,
    /// The names of sections for default settings, which Asterisk takes for queues.
    sections: Vec<String>,
}

impl SeenQueues {
    /// Divides `queues`. `unusable` are the names of queues that AMI actions can't carry.
    pub(super) fn new(
        queues: Vec<SeenQueue>,
        unusable: Vec<String>,
        distribution: Distribution,
    ) -> Self {
        let is_section = |queue: &SeenQueue| {
            distribution.has_only_settings_in(&queue.name, !queue.members.is_empty())
        };
        let (sections, queues): (Vec<_>, Vec<_>) = queues.into_iter().partition(is_section);
        let (usable, others): (Vec<_>, Vec<_>) = queues
            .into_iter()
            .partition(|queue| !queue.name.is_empty() && queue.name.bytes().all(is_number_char));
        let others = others.into_iter().map(|queue| queue.name);
        Self {
            usable,
            unusable: unusable.into_iter().chain(others).collect(),
            sections: sections.into_iter().map(|queue| queue.name).collect(),
        }
    }

    /// Divides the queues into groups that are probably organizations.
    pub(super) fn groups(&self) -> Vec<Group> {
        let names = self.usable.iter().map(|queue| queue.name.as_str());
        groups::divide(&names.collect::<Vec<_>>())
    }

    /// Returns the queues whose names begin with the name of an organization.
    pub(super) fn group_of_name(&self, organization: &str) -> Option<Group> {
        let names = self.usable.iter().map(|queue| queue.name.as_str());
        groups::of_name(organization, &names.collect::<Vec<_>>())
    }
}

/// Proposes an organization that has all queues of the PBX.
pub(super) fn propose_all(seen: &SeenQueues, known: &Known) -> Proposal {
    let queues: Vec<_> = seen.usable.iter().collect();
    let names: Vec<_> = queues.iter().map(|queue| queue.name.clone()).collect();
    let patterns = patterns::for_queues(&names, &seen.sections);
    propose(&queues, "{queue}".to_owned(), patterns, known)
}

/// Proposes an organization that has the queues that match a template and patterns.
///
/// # Errors
/// Returns a message if the template or a pattern is not valid.
pub(super) fn propose_named(
    seen: &SeenQueues,
    queue_name: &str,
    patterns: &[String],
    known: &Known,
) -> Result<Proposal, String> {
    let template = Template::new(queue_name, "queue")?;
    let parsed = patterns.iter().map(|text| Pattern::parse_queue(text));
    let parsed: Vec<Pattern> = parsed.collect::<Result<_, _>>()?;
    let belongs = |queue: &&SeenQueue| {
        let number = template.extract(&queue.name);
        number.is_some_and(|number| parsed.iter().any(|pattern| pattern.matches(number)))
    };
    let queues: Vec<_> = seen.usable.iter().filter(belongs).collect();
    Ok(propose(
        &queues,
        queue_name.to_owned(),
        patterns.to_vec(),
        known,
    ))
}

/// Proposes an organization that has the queues of a group.
pub(super) fn propose_group(seen: &SeenQueues, group: &Group, known: &Known) -> Proposal {
    let belongs = |queue: &&SeenQueue| group.queues.contains(&queue.name);
    let (queues, others): (Vec<_>, Vec<_>) = seen.usable.iter().partition(belongs);
    let number = |name: &String| name.get(group.prefix.len()..).map(str::to_owned);
    let numbers: Vec<_> = queues
        .iter()
        .filter_map(|queue| number(&queue.name))
        .collect();
    let others = others.iter().map(|queue| &queue.name).chain(&seen.sections);
    let others = others.filter(|name| groups::has_prefix(name, &group.prefix));
    let other_numbers: Vec<_> = others.filter_map(number).collect();
    let patterns = patterns::for_queues(&numbers, &other_numbers);
    propose(
        &queues,
        format!("{}{{queue}}", group.prefix),
        patterns,
        known,
    )
}

fn propose(
    queues: &[&SeenQueue],
    queue_name: String,
    patterns: Vec<String>,
    known: &Known,
) -> Proposal {
    let members = queues.iter().flat_map(|queue| &queue.members);
    // An agent who is a member of several queues counts once.
    let members: BTreeSet<&SeenMember> = members.collect();
    let proposal = Proposal {
        queues: patterns,
        queue_name,
        queue_count: queues.len(),
        ..Proposal::default()
    };
    if let Some(templates) = Templates::of(&members, known) {
        return Proposal {
            agents: patterns::for_agents(&templates.numbers),
            interface: Some(templates.interface),
            state_interface: templates.state_interface,
            fitting: templates.fitting,
            misfits: templates.misfits,
            other_states: templates.other_states,
            numbers: templates.numbers,
            ..proposal
        };
    }
    let usual = known
        .usual
        .map(|usual| (usual.interface, usual.state_interface));
    let (interface, state_interface) = usual.unzip();
    Proposal {
        interface: interface.map(str::to_owned),
        state_interface: state_interface.unwrap_or_default().to_owned(),
        misfits: members
            .iter()
            .map(|member| templates::describe(member))
            .collect(),
        ..proposal
    }
}

/// Narrows the ranges of agents if those of two organizations overlap.
pub(super) fn narrow_overlapping(proposals: &mut [(String, Proposal)]) {
    let overlap = proposals.iter().any(|(name, proposal)| {
        let mut others = proposals.iter().filter(|(other, _)| other != name);
        others.any(|(_, other)| proposal.has_agents_of(other))
    });
    if overlap {
        for (_, proposal) in proposals {
            proposal.narrow_agents();
        }
    }
}

impl Proposal {
    /// Returns whether the agents include a member of another organization.
    fn has_agents_of(&self, other: &Self) -> bool {
        let patterns = self.agents.iter().map(|text| Pattern::parse_agent(text));
        let patterns: Vec<Pattern> = patterns.filter_map(Result::ok).collect();
        let is_own = |number: &String| patterns.iter().any(|pattern| pattern.matches(number));
        self.interface == other.interface && other.numbers.iter().any(is_own)
    }

    /// Replaces the proposed ranges by the numbers of the members that exist. Ranges include
    /// numbers without a member, which can belong to another organization. Leaves agents that the
    /// operator has entered.
    pub(super) fn narrow_agents(&mut self) {
        if self.agents == patterns::for_agents(&self.numbers) {
            self.agents = patterns::for_exact_agents(&self.numbers);
        }
    }
}
