//! `showstate`: shows agents' states and pause reasons across the account's queues.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::read_response::{ReadView, read_response};
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::json::{MemberView, paused_at, paused_reason, unix_millis_timestamp};
use crate::api::parameters;
use crate::api::response::Response;
use crate::api::tenant::{AgentMemberships, Tenant, has_many_memberships};
use crate::api::views::{Shown, ViewKey};
use crate::organizations::{Account, Organization};
use crate::queues::{Member, MemberState, MemberTiming};

pub(super) static SHOW_STATE: Action = Action {
    name: "showstate",
    is_change: false,
    needs_permission: true,
    parse: ShowState::parse,
};

#[derive(Debug)]
struct ShowState {
    agents: Vec<String>,
    /// Queue numbers. `None` means all queues of the account.
    queues: Option<Vec<String>>,
    /// Whether to query Asterisk instead of reading the mirror.
    fresh: bool,
}

/// The fields about one agent. In a response about several agents, each agent has such an object.
#[derive(Serialize)]
struct AgentState<'a> {
    agent: &'a str,
    alias: Option<&'a str>,
    state: &'static str,
    paused: bool,
    /// The reason of the latest pause that is still in force.
    reason: Option<&'a str>,
    /// The beginning of the latest pause that is still in force.
    paused_at: Option<String>,
    /// The earliest end of a pause.
    pause_ends_at: Option<String>,
    /// Whether any pause has reached the limit of its reason.
    pause_overdue: bool,
    queues: Vec<MembershipView<'a>>,
}

#[derive(Serialize)]
struct MembershipView<'a> {
    queue: &'a str,
    name: &'a str,
    #[serde(flatten)]
    member: MemberView<'a>,
}

impl ShowState {
    fn parse(form: &Form, account: &Account) -> ParseResult {
        let fresh = parameters::flag(form, "fresh")?;
        Ok(Box::new(Self {
            agents: parameters::agents(form, account)?,
            queues: parameters::queues(form)?,
            fresh,
        }))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let tenant: &Tenant<'_> = &context.tenant;
        let numbers = self.queues.as_deref();
        let agents = tenant.memberships(&self.agents, numbers, self.fresh);
        let (agents, read) = agents.await?;
        let view = ReadView {
            key: ViewKey::new(context.action.name, tenant.account, &self.agents, numbers),
            shown: Shown::agents(&agents, read.stale),
            is_large: has_many_memberships(&agents),
        };
        let organization = Arc::clone(&tenant.account.organization);
        let response = read_response(&context, read, view, move |json| {
            let state = |agent| AgentState::of(agent, &organization, read.now);
            match &agents[..] {
                [agent] => json.fields(&state(agent)),
                several => {
                    json.raw("\"agents\":");
                    json.value(&several.iter().map(state).collect::<Vec<_>>());
                }
            }
        });
        response.await
    }
}

impl Command for ShowState {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters {
            agents: self.agents.clone(),
            queues: self.queues.clone(),
            ..LoggedParameters::default()
        }
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}

impl<'a> AgentState<'a> {
    fn of(agent: &'a AgentMemberships, organization: &Organization, now: i64) -> Self {
        let AgentMemberships { agent, memberships } = agent;
        let members = memberships.iter().map(|own| &*own.member);
        let paused = members.clone().filter(|member| member.paused);
        let latest_pause = paused.max_by_key(|member| member.last_pause.unix());
        let timings = memberships
            .iter()
            .map(|own| MemberTiming::of(&own.member, &own.queue, organization, now));
        let timings: Vec<MemberTiming> = timings.collect();
        let is_paused = is_paused_everywhere(members.clone());
        let states = timings.iter().map(|timing| timing.state);
        let pause_ends = timings.iter().filter_map(|timing| timing.pause_ends_at);
        Self {
            agent,
            alias: members.clone().next().map(|member| &*member.name),
            state: overall_state(states, is_paused),
            paused: is_paused,
            reason: latest_pause.and_then(paused_reason),
            paused_at: latest_pause.and_then(paused_at),
            pause_ends_at: pause_ends.min().and_then(unix_millis_timestamp),
            pause_overdue: timings.iter().any(|timing| timing.pause_overdue),
            queues: memberships
                .iter()
                .map(|own| MembershipView {
                    queue: &own.number,
                    name: &own.queue,
                    member: MemberView::of(&own.member, &own.queue, organization, now),
                })
                .collect(),
        }
    }
}

fn is_paused_everywhere<'a>(mut members: impl ExactSizeIterator<Item = &'a Member>) -> bool {
    members.len() > 0 && members.all(|member| member.paused)
}

/// Returns the agent's state across all memberships. The memberships share one device, so a call
/// in one queue makes the agent busy in all of them. The agent counts as paused only if paused in
/// every queue, and as in wrap-up only if in wrap-up in every queue without a pause.
fn overall_state(
    states: impl Iterator<Item = MemberState> + Clone,
    is_paused_everywhere: bool,
) -> &'static str {
    let Some(first) = states.clone().min() else {
        return "logged_out";
    };
    let mut unpaused = states.filter(|state| *state != MemberState::Paused);
    let state = match first {
        busy if busy < MemberState::Paused => busy,
        _ if is_paused_everywhere => MemberState::Paused,
        _ if unpaused.all(|state| state == MemberState::WrapUp) => MemberState::WrapUp,
        _ => MemberState::Available,
    };
    state.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overall_state_combines_the_states_of_all_memberships() {
        use MemberState::*;
        for (states, is_paused_everywhere, expected) in [
            (&[][..], false, "logged_out"),
            (&[Available, InCall, Paused], false, "in_call"),
            (&[Unavailable, Unavailable], true, "unavailable"),
            (&[Paused, Paused], true, "paused"),
            (&[Paused, Available], false, "available"),
            (&[Paused, WrapUp], false, "wrap_up"),
            (&[WrapUp, WrapUp], false, "wrap_up"),
            (&[WrapUp, Available], false, "available"),
            (&[WrapUp, Ringing], false, "ringing"),
        ] {
            let state = overall_state(states.iter().copied(), is_paused_everywhere);
            assert_eq!(state, expected, "{states:?}");
        }
    }
}
