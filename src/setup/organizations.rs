//! Decides which organizations the configuration gets: from the flags, from the operator's
//! answers, and from the proposals.

use super::Setup;
use super::answers::{
    parse_agents, parse_interface, parse_name, parse_names, parse_queue_name, parse_queues,
    parse_state_interface, parse_username, summary,
};
use super::error::SetupError;
use super::flags::refuse_single_flags;
use super::proposal::{
    Group, Known, Proposal, SeenQueues, narrow_overlapping, propose_all, propose_group,
    propose_named, separate,
};
use super::question::Question;
use super::questions::say;
use crate::distribution::Distribution;
use crate::terminal::{listed, wrapped};

/// The name of the group of queues without a prefix, if other queues have prefixes.
const REST: &str = "main";

/// An organization that the operator has agreed to.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) name: String,
    pub(super) username: String,
    pub(super) proposal: Proposal,
}

/// Decides on the organizations.
///
/// # Errors
/// Returns a mistake if something is unknown and nobody can be asked, or if a flag is wrong.
pub(super) fn decide(
    setup: &Setup,
    seen: &SeenQueues,
    distribution: Distribution,
) -> Result<Vec<Decided>, SetupError> {
    describe(seen);
    let known = Known {
        interface: setup.arguments.interface.clone(),
        state_interface: setup.arguments.state_interface.clone(),
        usual: distribution.usual_templates(),
    };
    let choice = Choice {
        setup,
        seen,
        groups: seen.groups(),
        known,
    };
    let mut proposals = choice.proposals()?;
    // The operator confirms what will be written.
    narrow_overlapping(&mut proposals);
    if proposals.len() > 1 {
        refuse_single_flags(&setup.arguments)?;
    }
    let decided = proposals
        .into_iter()
        .map(|(name, proposal)| choice.complete(name, proposal));
    decided.collect()
}

/// Prints the number of queues and members, and the queues with unusable names.
fn describe(seen: &SeenQueues) {
    let members: usize = seen.usable.iter().map(|queue| queue.members.len()).sum();
    match seen.usable.len() {
        0 if !seen.unusable.is_empty() => {
            say("No queue on the PBX has a name that the API can use.\n")
        }
        0 => say("The PBX has no queues yet. The configuration will include those to come.\n"),
        queues => say(&format!(
            "Queues on the PBX: {queues}. Members: {members}.\n"
        )),
    }
    if !seen.unusable.is_empty() {
        let names = seen
            .unusable
            .iter()
            .map(|name| format!("{name:?}"))
            .collect::<Vec<_>>();
        say(&wrapped(
            &format!(
                "Left out, because a queue's name can only have letters a-z, digits and _ . -: {}.",
                listed(&names)
            ),
            "",
        ));
    }
}

/// Chooses the organizations among the queues of the PBX.
struct Choice<'a> {
    setup: &'a Setup,
    seen: &'a SeenQueues,
    groups: Vec<Group>,
    known: Known,
}

impl Choice<'_> {
    /// Returns the names and proposals of the organizations that the flags or the operator name.
    fn proposals(&self) -> Result<Vec<(String, Proposal)>, SetupError> {
        let named = self.setup.arguments.organization.as_deref();
        if let Some(names) = named {
            let names = parse_names(names).map_err(mistake("--organization"))?;
            return match &names[..] {
                [name] if self.may_have_all() || self.group(name).is_some() => {
                    Ok(vec![(name.clone(), self.single(name)?)])
                }
                names => self.of_groups(names),
            };
        }
        if self.may_have_all() {
            let suggested = self.groups.first().map(Group::suggested_name);
            let suggested = suggested.filter(|name| !name.is_empty());
            let name = self.setup.questions.ask(
                Question::OrganizationName,
                suggested.as_deref(),
                parse_name,
            )?;
            let proposal = self.single(&name)?;
            return Ok(vec![(name, proposal)]);
        }
        self.ask_for_groups()
    }

    /// Returns whether setup may propose all queues for one organization: the flags name its
    /// queues, or the names of all queues begin alike.
    fn may_have_all(&self) -> bool {
        let arguments = &self.setup.arguments;
        arguments.queues.is_some() || arguments.queue_name.is_some() || self.groups.len() <= 1
    }

    /// Asks which of the groups are organizations.
    fn ask_for_groups(&self) -> Result<Vec<(String, Proposal)>, SetupError> {
        let names: Vec<String> = self.groups.iter().map(group_name).collect();
        let questions = self.setup.questions;
        if !questions.can_ask() {
            return Err(SetupError::Mistake(format!(
                "the queues' names have the prefixes of several organizations: give some of them \
                 with --organization {}, or all queues to one organization with --queue-name \
                 '{{queue}}'",
                names.join(",")
            )));
        }
        say("\nThe queues' names look like those of several organizations:\n\n");
        for (group, name) in self.groups.iter().zip(&names) {
            let example = group.queues.first().map_or("", String::as_str);
            let count = group.queues.len();
            say(&format!(
                "  {name:<20} queues: {count}, such as {example}\n"
            ));
        }
        say("\n");
        say(&wrapped(
            "Name those that you want, separated by commas. Any other name makes one \
             organization with all queues.",
            "",
        ));
        let default = names.join(",");
        let names = questions.ask(Question::Organizations, Some(&default), parse_names)?;
        match &names[..] {
            [name] if self.group(name).is_none() => {
                let proposal = propose_all(self.seen, &self.known);
                Ok(vec![(name.clone(), proposal)])
            }
            names => self.of_groups(names),
        }
    }

    fn group(&self, name: &str) -> Option<&Group> {
        // A single group without a prefix has all queues.
        let is_part = |group: &&Group| !group.prefix.is_empty() || self.groups.len() > 1;
        let mut groups = self.groups.iter().filter(is_part);
        groups.find(|group| group_name(group).eq_ignore_ascii_case(name))
    }

    /// Returns a proposal for each name. A queue belongs to the name with the longest prefix.
    fn of_groups(&self, names: &[String]) -> Result<Vec<(String, Proposal)>, SetupError> {
        let groups = names.iter().map(|name| {
            let group = self.group(name).cloned();
            let group = group.or_else(|| self.seen.group_of_name(name));
            group.ok_or_else(|| self.no_queue(name))
        });
        let mut groups: Vec<Group> = groups.collect::<Result<_, _>>()?;
        separate(&mut groups);
        let proposals = names.iter().zip(&groups).map(|(name, group)| {
            if group.queues.is_empty() {
                return Err(self.no_queue(name));
            }
            Ok((name.clone(), propose_group(self.seen, group, &self.known)))
        });
        proposals.collect()
    }

    /// The error for an organization without queues.
    fn no_queue(&self, name: &str) -> SetupError {
        let prefixes = self.groups.iter().map(|group| group.prefix.clone());
        let prefixes: Vec<String> = prefixes.filter(|prefix| !prefix.is_empty()).collect();
        let known = match prefixes.is_empty() {
            true => String::new(),
            false => format!(" The names begin with {}.", prefixes.join(", ")),
        };
        SetupError::Mistake(format!(
            "--organization: no queue's name begins with {name}, or all begin with the longer \
             name of another organization.{known} For one organization with all queues, add \
             --queue-name '{{queue}}'"
        ))
    }

    /// Returns the proposal for the only organization.
    fn single(&self, name: &str) -> Result<Proposal, SetupError> {
        let arguments = &self.setup.arguments;
        let group = self.group(name).or(match &self.groups[..] {
            [only] if !only.prefix.is_empty() => Some(only),
            _ => None,
        });
        let proposal = match group {
            Some(group) => propose_group(self.seen, group, &self.known),
            None => propose_all(self.seen, &self.known),
        };
        if arguments.queues.is_none() && arguments.queue_name.is_none() {
            return Ok(proposal);
        }
        let queue_name = arguments.queue_name.as_deref().unwrap_or(match group {
            // All queues, whatever their names begin with.
            None => "{queue}",
            Some(_) => &proposal.queue_name,
        });
        let all = vec!["*".to_owned()];
        let queues = arguments.queues.as_ref().unwrap_or(&all);
        propose_named(self.seen, queue_name, queues, &self.known)
            .map_err(mistake("--queues or --queue-name"))
    }

    /// Completes a proposal: asks for what it lacks, shows it, and lets the operator change it.
    fn complete(&self, name: String, mut proposal: Proposal) -> Result<Decided, SetupError> {
        let Setup {
            arguments,
            questions,
            ..
        } = self.setup;
        if let Some(agents) = &arguments.agents {
            proposal.agents.clone_from(agents);
        }
        say(&format!("\nOrganization {name}\n"));
        if proposal.interface.is_none() {
            let interface = questions.ask(Question::Interface, None, parse_interface)?;
            proposal.interface = Some(interface);
        }
        if proposal.agents.is_empty() {
            proposal.agents = questions.ask(Question::Agents, None, parse_agents)?;
        }
        say(&summary(&proposal));
        if !questions.confirm(Question::AcceptProposal, true, true)? {
            self.change(&mut proposal)?;
        }
        let username = match &arguments.username {
            Some(username) => username.clone(),
            None => questions.ask(Question::Username, Some(&name), parse_username)?,
        };
        Ok(Decided {
            name,
            username,
            proposal,
        })
    }

    /// Asks for each value, with the proposed one as default.
    fn change(&self, proposal: &mut Proposal) -> Result<(), SetupError> {
        let questions = self.setup.questions;
        let default = proposal.queues.join(",");
        proposal.queues = questions.ask(Question::Queues, Some(&default), parse_queues)?;
        let default = proposal.queue_name.clone();
        proposal.queue_name =
            questions.ask(Question::QueueName, Some(&default), parse_queue_name)?;
        let default = proposal.agents.join(",");
        proposal.agents = questions.ask(Question::Agents, Some(&default), parse_agents)?;
        let default = proposal.interface.clone();
        let interface = questions.ask(Question::Interface, default.as_deref(), parse_interface)?;
        proposal.interface = Some(interface);
        let default = match proposal.state_interface.as_str() {
            "" => "none",
            template => template,
        };
        let parse = |text: &str| match text {
            "none" => Ok(String::new()),
            text => parse_state_interface(text),
        };
        proposal.state_interface = questions.ask(Question::StateInterface, Some(default), parse)?;
        Ok(())
    }
}

/// Returns the name under which the operator can choose a group.
fn group_name(group: &Group) -> String {
    match group.suggested_name() {
        name if name.is_empty() => REST.to_owned(),
        name => name,
    }
}

fn mistake(flag: &'static str) -> impl FnOnce(String) -> SetupError {
    move |error| SetupError::Mistake(format!("{flag}: {error}"))
}
