//! Maps the PBX's names to the agents, queues and reasons of a report.

use std::collections::HashMap;

use super::request::ReportRequest;
use crate::report::Selection;
use crate::storage::{NameId, ReportReader};

/// The bridge ends a pause at most a second after its end, and Asterisk reports whole seconds. A
/// pause that the bridge ends at its limit is not overdue.
const END_TOLERANCE_SECONDS: u64 = 2;

/// An agent of a report.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) number: String,
    pub(super) alias: Option<String>,
}

/// The agents, queues and reasons of a report.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) selection: Selection,
    pub(super) agents: Vec<Agent>,
    pub(super) queues: Vec<String>,
    /// The first is the empty reason.
    pub(super) reasons: Vec<String>,
}

impl Scope {
    pub(super) fn new(request: &ReportRequest, reader: &ReportReader<'_>) -> Self {
        let mut scope = Self {
            reasons: vec![String::new()],
            ..Self::default()
        };
        scope.selection.has_callers = request.has_callers();
        scope.selection.limits = vec![None];
        let mut indexes = Indexes::default();
        for (id, name) in (0..).zip(&reader.names) {
            let queue = own_queue(request, name).map(|queue| scope.queue(queue, &mut indexes));
            scope.selection.queues.push(queue);
            let alias = reader.aliases.get(&(id as NameId));
            let agent = own_agent(request, name);
            let agent = agent.map(|agent| scope.agent(agent, alias, &mut indexes));
            scope.selection.agents.push(agent);
            let reason = scope.reason(request, name, &mut indexes);
            scope.selection.reasons.push(reason);
        }
        scope
    }

    /// Returns whether anything was recorded about the queue.
    pub(super) fn has_queue(&self, number: &str) -> bool {
        let mut queues = self.queues.iter();
        queues.any(|queue| queue.eq_ignore_ascii_case(number))
    }

    fn queue(&mut self, number: String, indexes: &mut Indexes) -> u32 {
        let next = self.queues.len() as u32;
        let index = indexes.queues.entry(number.to_ascii_lowercase());
        *index.or_insert_with(|| {
            self.queues.push(number);
            next
        })
    }

    fn agent(&mut self, number: &str, alias: Option<&String>, indexes: &mut Indexes) -> u32 {
        let next = self.agents.len() as u32;
        let index = indexes.agents.entry(number.to_ascii_lowercase());
        let index = *index.or_insert_with(|| {
            self.agents.push(Agent {
                number: number.to_owned(),
                alias: None,
            });
            next
        });
        let agent = &mut self.agents[index as usize];
        agent.alias = agent.alias.take().or_else(|| alias.cloned());
        index
    }

    /// Returns the index of a reason. Reasons that differ only in case from a listed one are that
    /// reason.
    fn reason(&mut self, request: &ReportRequest, name: &str, indexes: &mut Indexes) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let listed = request.account.organization.reasons.find(name);
        let name = listed.map_or(name, |reason| &reason.name);
        let next = self.reasons.len() as u32;
        let index = indexes.reasons.entry(name.to_owned());
        *index.or_insert_with(|| {
            self.reasons.push(name.to_owned());
            let limit = listed.and_then(|reason| {
                let tolerance = if reason.ends {
                    END_TOLERANCE_SECONDS
                } else {
                    0
                };
                u32::try_from(reason.limit_seconds? + tolerance).ok()
            });
            self.selection.limits.push(limit);
            next
        })
    }
}

#[derive(Debug, Default)]
struct Indexes {
    queues: HashMap<String, u32>,
    agents: HashMap<String, u32>,
    reasons: HashMap<String, u32>,
}

fn own_queue(request: &ReportRequest, name: &str) -> Option<String> {
    let number = request.account.queue_number(name)?;
    is_listed(request.queues.as_deref(), &number).then_some(number)
}

fn own_agent<'a>(request: &ReportRequest, name: &'a str) -> Option<&'a str> {
    let account = &request.account;
    let number = account.organization.agent_number(name)?;
    let is_own = account.limits.allows_agent(number);
    (is_own && is_listed(request.agents.as_deref(), number)).then_some(number)
}

fn is_listed(listed: Option<&[String]>, number: &str) -> bool {
    let has_number = |numbers: &[String]| numbers.iter().any(|n| n.eq_ignore_ascii_case(number));
    listed.is_none_or(has_number)
}
