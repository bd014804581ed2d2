//! Every action, by every kind of account, with agents and queues of everyone.

use std::collections::HashMap;

use super::scene::{ASKERS, Asker, LIMITED_USER, Login, Scene, Whose, key};
use super::usage::{Usage, Use};
use crate::support::{Response, SIMULATED, on_both_versions};

on_both_versions!(limited_account_reaches_only_its_own);

/// A request: who asks for which action, with whose agent and queue.
#[derive(Debug, Clone, Copy)]
struct Cell {
    asker: Asker,
    usage: Usage,
    agent: Option<Whose>,
    queue: Option<Whose>,
}

/// An agent or a queue in a request, as the account sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Seen {
    Absent,
    Reachable(Whose),
    /// The account can't distinguish others', nobody's and the other organization's.
    Unreachable,
}

impl Seen {
    fn new(whose: Option<Whose>, is_reachable: impl Fn(Whose) -> bool) -> Self {
        match whose {
            None => Self::Absent,
            Some(whose) if is_reachable(whose) => Self::Reachable(whose),
            Some(_) => Self::Unreachable,
        }
    }
}

impl Cell {
    fn all(asker: Asker, usage: Usage) -> impl Iterator<Item = Self> {
        let choices = || std::iter::once(None).chain(Whose::ALL.map(Some));
        choices().flat_map(move |agent| {
            choices().map(move |queue| Self {
                asker,
                usage,
                agent,
                queue,
            })
        })
    }

    fn agent_seen(&self) -> Seen {
        Seen::new(self.agent, |whose| self.asker.reaches_agent(whose))
    }

    fn queue_seen(&self) -> Seen {
        Seen::new(self.queue, |whose| self.asker.reaches_queue(whose))
    }

    /// Returns the agent on whom the action acts.
    fn acting_agent(&self) -> Option<Whose> {
        let own =
            (self.usage.agent == Use::Required && self.asker.has_agent_limit).then_some(Whose::Own);
        self.agent.or(own)
    }

    fn parameters(&self) -> String {
        let agent = self.agent.map(|whose| format!("&agent={}", whose.agent()));
        let queue = self.queue.map(|whose| format!("&queue={}", whose.queue()));
        agent.unwrap_or_default() + &queue.unwrap_or_default()
    }

    /// Returns the outcome that the account's rights demand.
    fn expected(&self) -> &'static str {
        if let Some(refusal) = self.asker.refusal(&self.usage) {
            return refusal;
        }
        let parameters = [
            (self.usage.agent, self.acting_agent()),
            (self.usage.queue, self.queue),
        ];
        if parameters.contains(&(Use::Required, None)) {
            return "400 missing_parameter";
        }
        let is_refused =
            |(usage, given): &(Use, Option<Whose>)| *usage == Use::Refused && given.is_some();
        if parameters.iter().any(is_refused) {
            return "400 invalid_parameter";
        }
        match (self.agent_seen(), self.queue_seen()) {
            (Seen::Unreachable, _) => "404 unknown_agent",
            (_, Seen::Unreachable) => "404 unknown_queue",
            _ => "200 success",
        }
    }

    /// Returns whether the request may change this member.
    fn may_change(&self, member: &(String, String)) -> bool {
        let Some(agent) = self.acting_agent() else {
            return false;
        };
        let reachable = Whose::ALL.into_iter();
        let mut queues = reachable
            .filter(|whose| self.asker.reaches_queue(*whose))
            .filter(|whose| self.queue.is_none_or(|queue| queue == *whose));
        self.asker.reaches_agent(agent)
            && queues.any(|queue| *member == key(agent.agent(), queue.queue()))
    }

    /// Returns the response with the names in the request replaced.
    fn masked(&self, response: &Response) -> String {
        let mut text = format!("{} {:?}", response.status, response.body);
        for (name, value) in &response.headers {
            if !name.eq_ignore_ascii_case("date") {
                text += &format!("\n{name}: {value}");
            }
        }
        if let Some(agent) = self.agent {
            text = text.replace(agent.agent(), "AGENT");
        }
        if let Some(queue) = self.queue {
            text = text.replace(queue.queue(), "QUEUE");
        }
        text
    }
}

/// Sends the request of a cell, and checks the response and its effect on the PBX.
fn run(scene: &mut Scene, cell: &Cell) -> Response {
    let expected = cell.expected();
    let is_success = expected == "200 success";
    if cell.usage.adds_member && is_success {
        let agent = cell.acting_agent().expect("a required agent");
        scene.remove(agent, cell.queue.expect("a required queue"));
    }
    let response = scene.ask(&cell.asker, &cell.usage, &cell.parameters(), "matrix");
    let outcome = match response.status {
        // A stream has no status in its body.
        200 if cell.usage.is_stream() => "200 success".to_owned(),
        _ => response.outcome(),
    };
    assert_eq!(outcome, expected, "{cell:?}: {response:?}");
    for secret in cell.asker.secrets() {
        let text = format!("{response:?}");
        assert!(!text.contains(secret), "{cell:?}: {secret} in {response:?}");
    }
    let mut members = scene.current_members();
    let mut before = scene.members.clone();
    if is_success {
        members.retain(|member, _| !cell.may_change(member));
        before.retain(|member, _| !cell.may_change(member));
    }
    assert_eq!(members, before, "{cell:?}: {response:?}");
    if is_success {
        scene.restore();
    }
    response
}

/// Runs the cells of these accounts. Responses about everything that an account can't reach must
/// be identical.
fn check_matrix(scene: &mut Scene, askers: &[Asker]) {
    for asker in askers {
        for usage in Usage::all() {
            let mut refusals: HashMap<_, (Cell, String)> = HashMap::new();
            for cell in Cell::all(*asker, usage) {
                let response = run(scene, &cell);
                if cell.expected() == "200 success" {
                    continue;
                }
                let masked = cell.masked(&response);
                let seen = (cell.agent_seen(), cell.queue_seen());
                let (first, text) = refusals
                    .entry(seen)
                    .or_insert_with(|| (cell, masked.clone()));
                assert_eq!(*text, masked, "{cell:?} differs from {first:?}");
            }
        }
    }
}

/// Sends requests for several agents and for all queues. They may change only what the account
/// reaches.
fn check_lists(scene: &mut Scene, asker: &Asker) {
    let reached = |member: &(String, String)| {
        let mut pairs = Whose::ALL.into_iter().flat_map(|agent| {
            let queues = Whose::ALL.into_iter();
            queues.map(move |queue| (agent, queue))
        });
        pairs.any(|(agent, queue)| {
            asker.reaches_agent(agent)
                && asker.reaches_queue(queue)
                && *member == key(agent.agent(), queue.queue())
        })
    };
    let mut changes = 0;
    for usage in Usage::all() {
        for parameters in [
            "&agent=1001&queue=*",
            "&agent=1001,1002",
            "&agent=1002,1001&queue=*",
            "&agent=1001,1002,1998,2001&queue=6001,6002,6998,7001",
        ] {
            let response = scene.ask(asker, &usage, parameters, "lists");
            let mut members = scene.current_members();
            let mut before = scene.members.clone();
            changes += usize::from(members != before);
            members.retain(|member, _| !reached(member));
            before.retain(|member, _| !reached(member));
            assert_eq!(
                members, before,
                "{asker:?} {usage:?} {parameters}: {response:?}"
            );
            scene.restore();
        }
    }
    let can_change = matches!(asker.login, Login::Password | Login::Token);
    assert_eq!(changes > 0, can_change, "{asker:?}: {changes} changes");
}

#[test]
fn lists_change_only_what_the_account_reaches() {
    for acme_queues in ["\"6001\", \"6002\"", "\"*\""] {
        let mut scene = Scene::start(SIMULATED, acme_queues);
        for asker in &ASKERS {
            check_lists(&mut scene, asker);
        }
    }
}

#[test]
fn every_account_reaches_only_its_own() {
    for acme_queues in ["\"6001\", \"6002\"", "\"*\""] {
        check_matrix(&mut Scene::start(SIMULATED, acme_queues), &ASKERS);
    }
}

fn limited_account_reaches_only_its_own(version: u32) {
    let mut scene = Scene::start(version, "\"6001\", \"6002\"");
    check_matrix(&mut scene, &[LIMITED_USER]);
}
